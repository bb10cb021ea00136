"""Register the table as it is now; the same bytes give the version that exists."""

from core.domain.data import Reading
from core.domain.run import StepResult
from core.local.deleted import files
from core.local.worker.step_attempt import Step
from core.local.worker.work import Work
from core.ml.data.guardrails import check_target


def run(work: Work, step: Step) -> StepResult:
    """Raises SourceUnreadable, TableUnusable."""
    settings = step.step.settings
    target = settings.get("target") or ""
    asset = work.workspace.data.register(settings.get("name") or "", settings["data"], Reading(target=target))
    for note in asset.notes:
        work.log.info(note.text)
    if target:
        with files(work.store, asset.ref):
            table = work.paths.table(asset.name, asset.content_id)
            check_target(work.workspace.data.profile(asset.ref), table, asset.named(target))
    return StepResult({"data": str(asset.ref), "rows": asset.rows, "source": asset.source})
