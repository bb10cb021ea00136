"""One attempt at one step of a pipeline's run; each kind is a file `step_KIND` and an entry in `DOING`."""

from collections.abc import Mapping
from importlib import import_module

from core.definitions.advance import inputs_of
from core.definitions.graph import outputs_of
from core.definitions.pipelines import plan
from core.domain.pipeline import PipelineStep, StepKind, ValueType
from core.domain.run import PipelineRunSpec, StepResult, StepSpec
from core.local.confined import check_run
from core.local.machine.failpoints import Failpoint, reach
from core.local.worker.step_attempt import Step
from core.local.worker.work import Work

DOING: Mapping[StepKind, str] = {
    StepKind.PREPARE: "core.local.worker.step_prepare:run",
    StepKind.GUARDRAILS: "core.local.worker.step_guardrails:run",
    StepKind.AUTOML: "core.local.worker.step_automl:run",
    StepKind.EVALUATE: "core.local.worker.step_evaluate:run",
    StepKind.REGISTER: "core.local.worker.step_register:run",
    StepKind.DEPLOY: "core.local.worker.step_deploy:run",
    StepKind.GATE: "core.local.worker.step_gate:run",
    StepKind.PROMOTE: "core.local.worker.step_promote:run",
    StepKind.COMMAND: "core.local.worker.step_command:run",
    StepKind.PYTHON: "core.local.worker.step_python:run",
}
"""`module:function`, loaded when needed: `run(work, step) -> StepResult`."""


def run(work: Work, wanted: StepSpec) -> StepResult:
    """Do it. What it has done before it was killed, it does not do again: each kind looks for it."""
    job = work.store.jobs.get(wanted.run_id)
    assert isinstance(job.spec, PipelineRunSpec)
    spec = work.store.pipelines.get(job.spec.pipeline_id).spec
    check_run(spec, job.spec, work.settings)  # links may lead elsewhere by now
    known = {step.name: step for step in work.store.runs.steps(job.id)}
    steps = {step.name: step for step in plan(spec, job.spec.parameters)}
    planned = steps[wanted.step]
    step = Step(job, job.spec, planned, inputs_of(planned, known), wanted.attempt, input_types(planned, steps))
    reach(Failpoint.STEP_BEGUN)
    module, _, name = DOING[planned.kind].partition(":")
    result: StepResult = getattr(import_module(module), name)(work, step)
    reach(Failpoint.STEP_DONE)
    return result


def input_types(step: PipelineStep, steps: Mapping[str, PipelineStep]) -> dict[str, ValueType]:
    """The type of each of a step's inputs, by what its source says of that output."""
    found = {}
    for name, source in step.inputs.items():
        of, _, output = source.partition(".")
        found[name] = outputs_of(steps[of])[output]
    return found
