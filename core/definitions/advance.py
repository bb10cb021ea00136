"""What a run does next: one pure function of its plan, its steps, and what has ended meanwhile.

The service carries the actions out, each round in one transaction; whatever is killed in between, the next round is
computed from what the store holds. Nothing here looks at a clock, a file or a process.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.domain.job import JobResult, JobState
from core.domain.pipeline import PipelineStep
from core.domain.proof import GateResult
from core.domain.run import PipelineRunResult, StepResult, StepRun, StepState
from core.domain.training import TrainingResult

PRIMARY_METRIC = "AUC_weighted"

BACKOFF_MAX_S = 3600.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job that a step waited for has ended."""

    state: JobState
    message: str = ""
    hint: str = ""
    result: JobResult | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What a step depends on at this moment, and whether an earlier run's outputs can stand for its own."""

    parts: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    """Why it runs, or is reused, in a sentence."""
    reused_from: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    job_id: str = ""
    """The job that made the outputs."""


Look = Callable[[PipelineStep, Mapping[str, Any]], Basis]
"""A step that is about to begin, and the values of its inputs -> what it depends on."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What has happened since the last round."""

    ended: Mapping[str, Ended] = field(default_factory=dict)
    """Of the jobs that steps wait for, those that have ended, by id."""
    canceling: bool = False
    look: Look = lambda step, inputs: Basis()


@dataclass(frozen=True, slots=True)
class Begin:
    """Start an attempt at a step: a job of its own."""

    step: str
    attempt: int
    basis: Basis


@dataclass(frozen=True, slots=True)
class Reuse:
    """Let an earlier run's outputs stand for a step's own."""

    step: str
    basis: Basis


@dataclass(frozen=True, slots=True)
class Follow:
    """A step's process has started a training or a gate and is gone; the step ends when that does."""

    step: str
    job_id: str
    note: str


@dataclass(frozen=True, slots=True)
class Succeed:
    """A step is done."""

    step: str
    outputs: Mapping[str, Any]
    note: str = ""
    reused_from: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retry:
    """An attempt failed; the next one may begin then."""

    step: str
    at: float
    message: str


@dataclass(frozen=True, slots=True)
class Fail:
    """A step has failed for good."""

    step: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Skip:
    """A step will not be done."""

    step: str
    why: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """A step was to be done, or was being done, when the run was canceled."""

    step: str


@dataclass(frozen=True, slots=True)
class End:
    """The run is over."""

    state: JobState
    message: str = ""
    hint: str = ""
    result: PipelineRunResult | None = None


Action = Begin | Reuse | Follow | Succeed | Retry | Fail | Skip | Cancel | End


def advance(
    plan: Sequence[PipelineStep], steps: Sequence[StepRun], seen: Seen, now: float, max_concurrent: int = 4
) -> tuple[Action, ...]:
    """What is to be done now, in order; empty while there is nothing to do but wait.

    `plan` names for every input of a step its source, `steps` are the run's in the same order, `now` is seconds since
    the epoch. Apply the actions and ask again until nothing comes.
    """
    known = {step.name: step for step in steps}
    ended = tuple(_ended(plan, known, seen, now))
    if ended:
        return ended
    waiting: tuple[Action, ...]
    if seen.canceling:
        waiting = tuple(Cancel(step.name) for step in steps if step.state is StepState.QUEUED)
    else:
        waiting = tuple(_begun(plan, known, seen, now, max_concurrent))
    if waiting:
        return waiting
    return (_end(steps, canceling=seen.canceling),) if all(step.state.final for step in steps) else ()


def apply(steps: Sequence[StepRun], action: Action, now: float, job_id: str = "") -> tuple[StepRun, ...]:
    """The steps after an action; `job_id` is the job that was made for a `Begin`."""
    if isinstance(action, End):
        return tuple(steps)
    return tuple(_applied(step, action, now, job_id) if step.name == action.step else step for step in steps)


def waits_for_time(steps: Sequence[StepRun]) -> bool:
    """Whether a step is to be tried again later: nothing but time brings the run forward then."""
    return any(step.retry_at is not None and step.state is StepState.QUEUED for step in steps)


def awaited(step: StepRun) -> str:
    """The job whose end a running step waits for."""
    return step.started_job_id or step.job_id


def inputs_of(step: PipelineStep, known: Mapping[str, StepRun]) -> dict[str, Any]:
    """The values of a step's inputs; an optional one that its source did not give is absent."""
    found = {}
    for name, reference in step.inputs.items():
        source, _, output = reference.partition(".")
        if output in known[source].outputs:
            found[name] = known[source].outputs[output]
    return found


def _ended(plan: Sequence[PipelineStep], known: Mapping[str, StepRun], seen: Seen, now: float) -> Iterator[Action]:
    for step in plan:
        run = known[step.name]
        if run.state is StepState.RUNNING and (end := seen.ended.get(awaited(run))) is not None:
            yield _outcome(step, run, end, seen, now)


def _outcome(step: PipelineStep, run: StepRun, end: Ended, seen: Seen, now: float) -> Action:
    if end.state is JobState.SUCCEEDED:
        result = end.result
        if isinstance(result, StepResult):
            if result.started_job_id:
                return Follow(step.name, result.started_job_id, result.note)
            reused = (result.reused_from, result.parts, result.why)
            return Succeed(step.name, result.outputs, result.note, *reused, files=result.files)
        if not isinstance(result, GateResult) or result.passed:
            return Succeed(step.name, _given(step, run, result), run.note)
        message, hint = _refused(result)
        return _failed(step, run, message, hint, now)
    if seen.canceling:
        return Cancel(step.name)
    if end.state is JobState.CANCELED:
        return Fail(step.name, "Its job was canceled", "Run the pipeline again, or retry from this step")
    return _failed(step, run, end.message, end.hint, now)


def _given(step: PipelineStep, run: StepRun, result: JobResult | None) -> Mapping[str, Any]:
    """The outputs of a step by the result of the job that it had started."""
    if isinstance(result, TrainingResult):
        metric = step.settings.get("primary_metric") or PRIMARY_METRIC
        return {
            "job": run.started_job_id,
            "algorithm": result.best.algorithm,
            "metrics": dict(result.best.metrics),
            "score": result.best.metrics.get(metric),
            "trials": result.trials,
        }
    if isinstance(result, GateResult):
        return {"report": result.report_id, "passed": True}
    return {}


def _refused(result: GateResult) -> tuple[str, str]:
    hint = f"Its report {result.report_id} says why"
    return ("The gate came to no verdict" if result.passed is None else "The gate did not pass"), hint


def _failed(step: PipelineStep, run: StepRun, message: str, hint: str, now: float) -> Action:
    if run.attempt <= step.retries:
        return Retry(step.name, now + _wait_s(step, run.attempt), message)
    return Fail(step.name, message, hint)


def _wait_s(step: PipelineStep, attempt: int) -> float:
    """Between the failure of an attempt and the next one."""
    return min(step.backoff_s * 2.0 ** (attempt - 1), BACKOFF_MAX_S)


def _begun(
    plan: Sequence[PipelineStep], known: Mapping[str, StepRun], seen: Seen, now: float, max_concurrent: int
) -> Iterator[Action]:
    room = max_concurrent - sum(run.state is StepState.RUNNING for run in known.values())
    for step in plan:
        run = known[step.name]
        if run.state is not StepState.QUEUED:
            continue
        sources = [known[name] for name in step.waits_for]
        if why := _skipped(step, sources, known):
            yield Skip(step.name, why)
        elif room > 0 and _ready(step, run, sources, now):
            basis = seen.look(step, inputs_of(step, known)) if run.attempt == 0 else Basis(run.parts, _again(run))
            if basis.reused_from:
                yield Reuse(step.name, basis)
            else:
                room -= 1
                yield Begin(step.name, run.attempt + 1, basis)


def _ready(step: PipelineStep, run: StepRun, sources: Sequence[StepRun], now: float) -> bool:
    # A clock that was set back must not make a wait of seconds one of hours.
    if run.retry_at is not None and 0 < run.retry_at - now <= _wait_s(step, run.attempt):
        return False
    return all(source.state is StepState.SUCCEEDED for source in sources)


def _again(run: StepRun) -> str:
    return f"ran: attempt {run.attempt + 1}, after a failure: {run.message}"


def _skipped(step: PipelineStep, sources: Sequence[StepRun], known: Mapping[str, StepRun]) -> str:
    """Why a step will never be done; empty while it may."""
    for source in sources:
        if source.state.final and source.state is not StepState.SUCCEEDED:
            return f"skipped: step '{source.name}' {_WHAT_HAPPENED[source.state]}"
    if not step.when:
        return ""
    source_name, _, output = step.when.partition(".")
    source = known[source_name]
    if source.state is StepState.SUCCEEDED and not source.outputs.get(output):
        return f"skipped: '{step.when}' is false"
    return ""


_WHAT_HAPPENED = {
    StepState.FAILED: "failed",
    StepState.CANCELED: "was canceled",
    StepState.SKIPPED: "was skipped",
}


def _end(steps: Sequence[StepRun], *, canceling: bool) -> End:
    result = PipelineRunResult({step.name: step.outputs for step in steps if step.state is StepState.SUCCEEDED})
    failed = next((step for step in steps if step.state is StepState.FAILED), None)
    if canceling and any(step.state is StepState.CANCELED for step in steps):
        return End(JobState.CANCELED, "Canceled")
    if failed is not None:
        return End(JobState.FAILED, f"Step '{failed.name}' failed: {failed.message}", failed.hint)
    return End(JobState.SUCCEEDED, result=result)


def _applied(step: StepRun, action: Action, now: float, job_id: str) -> StepRun:
    match action:
        case Begin(_, attempt, basis):
            begun = step.started_at if step.started_at is not None else now
            return replace(
                step,
                state=StepState.RUNNING,
                attempt=attempt,
                job_id=job_id,
                started_job_id="",
                retry_at=None,
                started_at=begun,
                why=basis.why,
                parts=basis.parts,
                message="",
                hint="",
            )
        case Reuse(_, basis):
            done = replace(step, state=StepState.SUCCEEDED, started_at=now, ended_at=now)
            return replace(
                done,
                job_id=basis.job_id,
                why=basis.why,
                parts=basis.parts,
                outputs=basis.outputs,
                files=basis.files,
                note=basis.note,
                reused_from=basis.reused_from,
            )
        case Follow(_, started, note):
            return replace(step, started_job_id=started, note=note)
        case Succeed(_, outputs, note, reused_from, parts, why, files):
            done = replace(step, state=StepState.SUCCEEDED, ended_at=now, outputs=outputs, note=note or step.note)
            return replace(done, reused_from=reused_from, parts=parts or step.parts, why=why or step.why, files=files)
        case Retry(_, at, message):
            return replace(step, state=StepState.QUEUED, retry_at=at, message=message)
        case Fail(_, message, hint):
            return replace(step, state=StepState.FAILED, ended_at=now, message=message, hint=hint)
        case Skip(_, why):
            return replace(step, state=StepState.SKIPPED, ended_at=now, why=why)
        case Cancel():
            return replace(step, state=StepState.CANCELED, ended_at=now, message="Canceled")
        case End():
            return step
