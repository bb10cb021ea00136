"""The run that is opened, by a click, a link or the address."""

from core.domain.errors import JobNotFound
from core.domain.run import PipelineRun
from core.ui.shell import choices
from core.workspace import Workspace


def run(workspace: Workspace, *, key: str = "run", scope: str = "") -> PipelineRun | None:
    """The run that the visitor (or the address, under `key`) has opened; None while none is."""
    if not workspace.can("pipelines.get_run"):
        return None
    found = {each: one for each in choices.sought(key, scope=scope) if (one := _found(workspace, each)) is not None}
    picked = choices.opened("run", found, key=key, scope=scope)
    return found.get(picked)


def _found(workspace: Workspace, run_id: str) -> PipelineRun | None:
    try:
        return workspace.pipelines.get_run(run_id)
    except JobNotFound:
        return None
