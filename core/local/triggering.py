"""How a run of a pipeline is queued, whoever asks for it: a person, a REST call, a schedule."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from core.definitions.pipelines import plan
from core.domain.errors import Conflict, QueueFull, SpecInvalid
from core.domain.job import Job
from core.domain.pipeline import PipelineEndpoint, PipelineSpec
from core.domain.rules import check_text
from core.domain.run import PipelineRun, PipelineRunSpec, RunOrigin, StepRun, StepState
from core.local import lineage
from core.local.confined import check_run
from core.local.context import LOCAL_COMPUTE, Context
from core.local.paths import Paths
from core.local.queue import check_compute, new_job
from core.local.reuse import is_there
from core.local.store import Nouns
from core.local.store.transactions import add_run


def checked_run(
    context: Context,
    found: PipelineEndpoint,
    experiment_name: str,
    parameters: Mapping[str, Any],
    *,
    origin: RunOrigin,
    schedule: str = "",
    retry_of: str = "",
    confined: bool | None = None,
) -> Job:
    """A run's job, not stored yet: every parameter was looked at.

    Raises SpecInvalid, SourceUnreadable for a path that a confined caller may not read, Conflict for a disabled
    pipeline.
    """
    if not found.enabled:
        raise Conflict(f"Pipeline '{found.name}' is disabled", hint="Enable it, or publish it again")
    check_text("The experiment's name", experiment_name, empty=True)
    if not experiment_name.strip():
        raise SpecInvalid("A run needs an experiment name", hint='Send {"ExperimentName": "..."}')
    for step in plan(found.spec, parameters):
        if compute := step.settings.get("compute"):
            check_compute(context, compute)
    wanted = PipelineRunSpec(
        found.id,
        found.name,
        found.version,
        {**found.spec.defaults, **parameters},
        context.confined if confined is None else confined,
        origin,
        schedule,
        retry_of,
    )
    check_run(found.spec, wanted, context.settings)
    return new_job(context, wanted, experiment_name, LOCAL_COMPUTE)


def queue_run(tx: Nouns, job: Job, found: PipelineEndpoint, runs_max_queued: int, done: Mapping[str, StepRun]) -> None:
    """Keep a run, with the steps that it takes over as `done`. Raises QueueFull."""
    if tx.runs.count_waiting() >= runs_max_queued:
        raise QueueFull(
            f"{runs_max_queued} pipeline runs wait already",
            hint="Try again later; SLIPWAY_RUNS_MAX_QUEUED is the limit",
        )
    steps = {step.name: done.get(step.name) or StepRun(step.name, step.kind) for step in found.spec.steps}
    add_run(tx, job, list(steps.values()))
    if done:
        assert isinstance(job.spec, PipelineRunSpec)
        lineage.note(tx, job.id, plan(found.spec, job.spec.parameters), steps, done.keys())


def taken_over(store: Nouns, paths: Paths, spec: PipelineSpec, run: PipelineRun) -> dict[str, StepRun]:
    """What a retry keeps of a run's steps: those that succeeded, as they are, while what they gave is there.

    A step that follows one that is done anew is done anew too: its inputs may be others.
    """
    before, kept = {step.name: step for step in run.steps}, dict[str, StepRun]()
    for step in plan(spec, run.parameters):
        done = before[step.name]
        if done.state is not StepState.SUCCEEDED or not is_there(store, paths, step, done):
            continue
        if all(name in kept for name in step.waits_for):
            why = f"kept: it succeeded in run {run.number}"
            kept[step.name] = replace(done, reused_from=done.reused_from or run.id, why=why)
    return kept


def digest(found: PipelineEndpoint, experiment_name: str, parameters: Mapping[str, Any]) -> str:
    """What a trigger asks for, to tell a repeated one from another one."""
    asked = [found.version, experiment_name, dict(sorted(parameters.items()))]
    return hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()
