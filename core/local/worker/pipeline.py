"""A pipeline's run: its steps in order, each done once, whatever dies in between."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from core.definitions.pipelines import bind, training_spec
from core.domain.data import DataRef, Reading
from core.domain.errors import SlipwayError, TrainingFailed
from core.domain.job import Job, JobState
from core.domain.pipeline import PipelineStep, StepKind, StepRun
from core.domain.plain import plain
from core.domain.run import PipelineRunResult, PipelineRunSpec
from core.domain.training import TrainingSpec
from core.local.confined import check_run
from core.local.deleted import files
from core.local.machine.failpoints import Failpoint, reach
from core.local.registration import register_from_job
from core.local.worker.work import Work
from core.ml.data.guardrails import check_target

LOOK_EVERY_S = 0.2

Outputs = Mapping[str, Mapping[str, Any]]
"""Step name -> what it gave."""


def run(work: Work, wanted: PipelineRunSpec) -> PipelineRunResult:
    """Do the steps that are not done. Raises TrainingFailed that names the step which failed."""
    spec = work.store.pipelines.get(wanted.pipeline_id).spec
    check_run(spec, wanted, work.settings)  # links may lead elsewhere by now
    steps = bind(spec, wanted.parameters)
    known = {step.name: step for step in work.store.steps.list(work.job.id)}
    outputs: dict[str, Mapping[str, Any]] = {}
    for step in steps:
        done = known[step.name]
        if done.state is not JobState.SUCCEEDED:
            try:
                done = _do(work, step, done, outputs)
            except SlipwayError as e:
                _keep_failure(work, step.name, e.message)
                raise TrainingFailed(f"Step '{step.name}' failed: {e.message}", hint=e.hint) from e
        outputs[step.name] = done.output
    return PipelineRunResult(outputs)


def _do(work: Work, step: PipelineStep, known: StepRun, outputs: Outputs) -> StepRun:
    if known.state is not JobState.RUNNING:
        known = replace(known, state=JobState.RUNNING, started_at=work.clock())
        work.store.steps.put(work.job.id, known)
    reach(Failpoint.PIPELINE_STEP_BEGUN)
    work.log.info(f"Step {step.name}: begins")
    known, output = KINDS[step.kind](work, step, known, outputs)
    reach(Failpoint.PIPELINE_STEP_DONE)
    done = replace(known, state=JobState.SUCCEEDED, ended_at=work.clock(), output=output)
    work.store.steps.put(work.job.id, done)
    reach(Failpoint.PIPELINE_STEP_KEPT)
    work.log.info(f"Step {step.name}: succeeded")
    return done


def _keep_failure(work: Work, name: str, message: str) -> None:
    """The steps after it are canceled when the run ends."""
    step = next(step for step in work.store.steps.list(work.job.id) if step.name == name)
    work.store.steps.put(work.job.id, replace(step, state=JobState.FAILED, ended_at=work.clock(), message=message))


def _prepare(work: Work, step: PipelineStep, known: StepRun, _: Outputs) -> tuple[StepRun, Mapping[str, Any]]:
    """Register the table as it is now; the same bytes give the version that exists."""
    target = step.settings.get("target") or ""
    asset = work.workspace.data.register("", step.settings["data"], Reading(target=target))
    for note in asset.notes:
        work.log.info(note.text)
    if target:
        with files(work.store, asset.ref):
            table = work.paths.table(asset.name, asset.content_id)
            check_target(work.workspace.data.profile(asset.ref), table, asset.named(target))
    return known, {"data": asset.name, "version": asset.version, "rows": asset.rows, "source": asset.source}


def _automl(work: Work, step: PipelineStep, known: StepRun, outputs: Outputs) -> tuple[StepRun, Mapping[str, Any]]:
    """Submit a training job, once, and wait for its end."""
    if not known.job_id:
        prepared = _output_of(step, outputs, "data")
        spec = training_spec(step, DataRef(prepared["data"], prepared["version"]))
        spec = replace(spec, experiment_name=work.job.experiment_name)
        job = _submitted(work, spec)
        reach(Failpoint.PIPELINE_SUBMITTED)
        known = replace(known, job_id=job.id)
        work.store.steps.put(work.job.id, known)
        reach(Failpoint.PIPELINE_NOTED)
        work.log.info(f"Step {step.name}: job {job.id}")
    job = _wait_for(work, known.job_id)
    if job.state is not JobState.SUCCEEDED:
        raise TrainingFailed(f"Its job {job.id} ended {job.state}: {job.message}", hint=job.hint)
    return known, {"job": job.id, **plain(job.result)}


def _submitted(work: Work, spec: TrainingSpec) -> Job:
    """The job of a step: the one that an attempt before us submitted and died before it noted it, else a new one."""
    noted = {step.job_id for step in work.store.steps.list(work.job.id)}
    for child in work.store.jobs.children(work.job.id):
        if child.id not in noted:
            return child
    return work.workspace.jobs.submit(spec, parent_id=work.job.id)


def _register(work: Work, step: PipelineStep, known: StepRun, outputs: Outputs) -> tuple[StepRun, Mapping[str, Any]]:
    job = work.store.jobs.get(_output_of(step, outputs, "job")["job"])
    model = register_from_job(work.store, work.paths, step.settings["model"], job, work.clock)
    return known, {"model": model.name, "version": model.version}


KINDS: Mapping[StepKind, Callable[[Work, PipelineStep, StepRun, Outputs], tuple[StepRun, Mapping[str, Any]]]] = {
    StepKind.PREPARE: _prepare,
    StepKind.AUTOML: _automl,
    StepKind.REGISTER: _register,
}


def _output_of(step: PipelineStep, outputs: Outputs, key: str) -> Mapping[str, Any]:
    """The output with `key` of the step's nearest earlier step, among its `needs` where it names some."""
    names = step.needs or tuple(outputs)
    for name in reversed(names):
        if key in outputs.get(name, {}):
            return outputs[name]
    raise TrainingFailed(
        f"Step '{step.name}' needs a step before it that gives '{key}'", hint="Name it in the step's `needs`"
    )


def _wait_for(work: Work, job_id: str) -> Job:
    while not (job := work.store.jobs.get(job_id)).state.final:
        time.sleep(LOOK_EVERY_S)
    return job
