"""Schedules at one moment, each with the last run that it started."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.run import RunSummary
from core.domain.schedule import Schedule
from core.ui.shell.live import CALM_S, FAST_S
from core.workspace import Workspace

SOON_S = 15.0


@dataclass(frozen=True, slots=True)
class Schedules:
    """All schedules by name, and their last runs."""

    schedules: tuple[Schedule, ...]
    last: Mapping[str, RunSummary]
    """The last run of each, by the schedule's name; absent where it has none."""
    now: float


def look(workspace: Workspace) -> Schedules:
    """All of them as they are now."""
    can = workspace.can
    known = workspace.schedules.list() if can("schedules.list") else ()
    last = {}
    for schedule in known if can("pipelines.list_runs") else ():
        for run in workspace.pipelines.list_runs(schedule=schedule.spec.name, limit=1):
            last[schedule.spec.name] = run
    return Schedules(known, last, time.time())


def pace(seen: Schedules) -> float:
    """Often while a run of theirs goes on or one is about to fire; there is always a next change."""
    going = any(not run.state.final for run in seen.last.values())
    soon = any(at - seen.now < SOON_S for schedule in seen.schedules for at in schedule.next_fires_at[:1])
    return FAST_S if going or soon else CALM_S
