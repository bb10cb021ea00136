"""Look at a table as a training would; nothing is trained."""

from dataclasses import replace

import msgspec

from core.domain.counting import counted
from core.domain.data import DataRef
from core.domain.errors import StepFailed
from core.domain.names import reference
from core.domain.run import StepResult
from core.domain.step_settings import GuardrailsSettings
from core.domain.training import GuardrailState, TrainingSpec
from core.local.deleted import files
from core.local.worker.step_attempt import Step
from core.local.worker.work import Work
from core.ml.data.prepare import prepare


def run(work: Work, step: Step) -> StepResult:
    """Raises TableUnusable where it cannot be learned; StepFailed for alerts, where they are to stop the run."""
    settings = step.settings(GuardrailsSettings)
    with files(work.store, DataRef(*reference(step.inputs["data"]))) as asset:
        spec = TrainingSpec(asset.ref, asset.named(settings.target))
        spec = replace(spec, exclude=tuple(asset.named(name) for name in settings.exclude))
        table = work.paths.table(asset.name, asset.content_id)
        found = prepare(table, spec, work.workspace.data.profile(asset.ref))
    for check in found.guardrails:
        say = work.log.warning if check.state is GuardrailState.ALERTED else work.log.info
        say(f"{check.detail}.")
    for note in found.notes:
        work.log.info(note)
    alerts = [check for check in found.guardrails if check.state is GuardrailState.ALERTED]
    if alerts and settings.stop_on_alert:
        raise StepFailed(f"{asset.ref}: {alerts[0].detail}", hint="Mend the table, or set stop_on_alert to false")
    said = f"{counted(len(found.guardrails), 'check')} of {asset.ref}, {counted(len(alerts), 'alert')}"
    return StepResult({"alerts": len(alerts), "checks": msgspec.to_builtins(found.guardrails)}, note=said)
