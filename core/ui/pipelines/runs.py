"""Runs of a pipeline: the newest step by step, then all of them."""

import time
from dataclasses import dataclass

from core.domain.run import PipelineRun
from core.ui.shell.live import FAST_S
from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one pipeline, newest first, at one moment."""

    runs: tuple[PipelineRun, ...]
    now: float


def look(workspace: Workspace, pipeline: str) -> Runs:
    """The runs as they are now."""
    can = workspace.can("pipelines.list_runs", "pipelines.get_run")
    runs = workspace.pipelines.list_runs(pipeline) if can else ()
    return Runs(tuple(workspace.pipelines.get_run(run.id) for run in runs), time.time())


def pace(seen: Runs) -> float | None:
    """Often while a run goes on, then never."""
    return FAST_S if any(not run.state.final for run in seen.runs) else None
