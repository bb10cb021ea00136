"""One attempt at one step of a pipeline's run; each kind is a file `step_KIND` and an entry in `DOING`."""

from collections.abc import Mapping
from importlib import import_module

from core.definitions.advance import inputs_of
from core.definitions.pipelines import plan
from core.domain.pipeline import StepKind
from core.domain.run import PipelineRunSpec, StepResult, StepSpec
from core.local.confined import check_run
from core.local.machine.failpoints import Failpoint, reach
from core.local.worker.step_attempt import Step
from core.local.worker.work import Work

DOING: Mapping[StepKind, str] = {
    StepKind.PREPARE: "core.local.worker.step_prepare:run",
    StepKind.AUTOML: "core.local.worker.step_automl:run",
    StepKind.REGISTER: "core.local.worker.step_register:run",
}
"""`module:function`, loaded when needed: `run(work, step) -> StepResult`."""


def run(work: Work, wanted: StepSpec) -> StepResult:
    """Do it. What it has done before it was killed, it does not do again: each kind looks for it."""
    job = work.store.jobs.get(wanted.run_id)
    assert isinstance(job.spec, PipelineRunSpec)
    spec = work.store.pipelines.get(job.spec.pipeline_id).spec
    check_run(spec, job.spec, work.settings)  # links may lead elsewhere by now
    known = {step.name: step for step in work.store.runs.steps(job.id)}
    planned = next(step for step in plan(spec, job.spec.parameters) if step.name == wanted.step)
    step = Step(job, job.spec, planned, inputs_of(planned, known), wanted.attempt)
    reach(Failpoint.STEP_BEGUN)
    module, _, name = DOING[planned.kind].partition(":")
    result: StepResult = getattr(import_module(module), name)(work, step)
    reach(Failpoint.STEP_DONE)
    return result
