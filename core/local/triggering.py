"""How a run of a pipeline is queued, whoever asks for it: a person, a REST call, a schedule."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from core.definitions.pipelines import plan, values_of
from core.domain.errors import Conflict, QueueFull, SpecInvalid
from core.domain.job import Job
from core.domain.pipeline import PipelineEndpoint, PipelineSpec, StepKind
from core.domain.rules import check_text, shown
from core.domain.run import PipelineRun, PipelineRunSpec, RunOrigin, StepRun, StepState
from core.local import lineage
from core.local.confined import check_run
from core.local.context import LOCAL_COMPUTE, Context
from core.local.paths import Paths
from core.local.queue import check_compute, check_training_compute, new_job
from core.local.reuse import is_there
from core.local.store import Nouns
from core.local.store.transactions import add_run

REPEAT_KEY_CHARS_MAX = 128


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
            check = check_training_compute if step.kind is StepKind.AUTOML else check_compute
            check(context, compute)
    wanted = PipelineRunSpec(
        found.id,
        found.name,
        found.version,
        values_of(found.spec, parameters),
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


def repeated(tx: Nouns, pipeline: str, repeat_key: str, asked: str, now: float) -> str:
    """The id of the run that a trigger with this key has started within 24 hours; empty where none has.

    `asked` is the digest of what is asked for now. Raises Conflict where that was something else.
    """
    known = tx.triggers.find(pipeline, repeat_key, now) if repeat_key else None
    if known is None:
        return ""
    if known.digest != asked:
        raise Conflict(
            f"This idempotency key has started another run of '{pipeline}', with other values",
            hint="Send a new key with a new request, and the same request with the same key",
        )
    return known.run_id


def check_repeat_key(repeat_key: str) -> None:
    """Raises SpecInvalid for a key that is too long or that no header can carry; an empty one is none."""
    if len(repeat_key) > REPEAT_KEY_CHARS_MAX or any(not "!" <= letter <= "~" for letter in repeat_key):
        raise SpecInvalid(
            f"The idempotency key is {shown(repeat_key)}, expected 1 to {REPEAT_KEY_CHARS_MAX} printable ASCII "
            "characters without spaces",
            hint="A UUID is a good one",
        )


def digest(version: int, experiment_name: str, parameters: Mapping[str, Any]) -> str:
    """What a trigger asks for, to tell a repeated one from another one; `version` 0 is the default, whichever it is."""
    asked = [version, experiment_name, dict(parameters)]
    return hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()
