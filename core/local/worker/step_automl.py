"""Submit a training, once; the step ends when that has."""

from dataclasses import replace

from core.definitions.pipelines import training_spec
from core.domain.data import DataRef
from core.domain.names import reference
from core.domain.run import StepResult
from core.local.worker.step_attempt import Step, acted
from core.local.worker.work import Work


def run(work: Work, step: Step) -> StepResult:
    """Raises TableUnusable, SpecInvalid."""
    for child in work.store.jobs.children(work.job.id):  # one that a killed process of this attempt had submitted
        return StepResult(started_job_id=child.id)
    spec = training_spec(step.step, DataRef(*reference(step.inputs["data"])))
    job = work.workspace.jobs.submit(replace(spec, experiment_name=step.run.experiment_name), parent_id=work.job.id)
    acted()
    work.log.info(f"Training job {job.id}")
    return StepResult(started_job_id=job.id)
