"""Register a training's best model; twice gives the same version."""

from core.domain.run import StepResult
from core.local.registration import register_from_job
from core.local.worker.step_attempt import Step, acted
from core.local.worker.work import Work


def run(work: Work, step: Step) -> StepResult:
    """Raises Conflict where the training has no model."""
    job = work.store.jobs.get(step.inputs["job"])
    model = register_from_job(work.store, work.paths, step.step.settings["model"], job, work.clock)
    acted()
    work.log.info(f"Registered {model.ref} ({model.algorithm}).")
    return StepResult({"model": str(model.ref)}, note=f"Registered {model.ref}")
