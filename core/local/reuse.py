"""Why a step runs, and whose outputs can stand for its own."""

from collections.abc import Mapping, Sequence

from core.definitions.advance import Basis
from core.definitions.references import referred
from core.domain.data import DataRef
from core.domain.errors import ServiceUnavailable, SlipwayError
from core.domain.job import Job, JobState
from core.domain.names import reference
from core.domain.pipeline import PipelineStep, StepKind, ValueType
from core.domain.run import PipelineRunSpec, StepRun, StepState
from core.domain.steps import STEP_TYPES
from core.local import lineage
from core.local.dependence import ARGUMENTS, CHANGES, PARAMETER, SETTING, key_of, outputs_of, parts_of, surroundings
from core.local.paths import Paths
from core.local.store import Nouns, Store
from core.local.store.kept_steps import Done
from core.settings import Settings

FIRST = "ran: first run of this step"
TO_SEE = "ran: its process compares the source with earlier runs"
"""Why `prepare` runs, until it has compared the source's bytes."""
CHANGED_MAX = 3


class Reuses:
    """The memory of what steps have given, over the store."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._paths = store, Paths(settings.home)

    def look(self, run: Job, plan: Sequence[PipelineStep], steps: Sequence[StepRun], step: PipelineStep) -> Basis:
        """What a step that is about to begin depends on, and an earlier run's outputs where nothing has changed."""
        if STEP_TYPES[step.kind].acts:
            return Basis(why=f"ran: a {step.kind} step is never reused")
        parts = parts_of(self._store, plan, {each.name: each for each in steps}, step)
        if step.kind is StepKind.PREPARE and step.allow_reuse:
            return Basis(parts, self._before_it_is_seen(run, step))
        return self._basis(run, step, parts)

    def further(self, run: Job, step: PipelineStep, more: Mapping[str, str]) -> Basis:
        """The same, asked by a step's own process, which has read what the service does not: `more` parts."""
        noted = next(each for each in self._store.runs.steps(run.id) if each.name == step.name)
        return self._basis(run, step, {**noted.parts, **more})

    def keep(
        self,
        tx: Nouns,
        run: Job,
        plan: Sequence[PipelineStep],
        before: Sequence[StepRun],
        changed: Sequence[StepRun],
    ) -> None:
        """Remember, inside a transaction, what steps have made and used, and what can be reused.

        Raises ServiceUnavailable where outputs that are about to be taken over have been removed meanwhile.
        """
        known = {step.name: step for step in (*before, *changed)}
        lineage.note(tx, run.id, plan, known, [step.name for step in changed])
        planned, old = {step.name: step for step in plan}, {step.name: step for step in before}
        for done in changed:
            if done.state is not StepState.SUCCEEDED or old[done.name].state is StepState.SUCCEEDED:
                continue
            step = planned[done.name]
            if done.reused_from:
                still = tx.runs.summary(done.reused_from) is not None and is_there(tx, self._paths, step, done)
                if old[done.name].state is StepState.QUEUED and not still:
                    raise ServiceUnavailable(f"What run '{done.reused_from}' gave has been removed meanwhile")
            elif step.allow_reuse and done.parts and not STEP_TYPES[step.kind].acts and _as_noted(tx, step, done):
                assert done.ended_at is not None
                tx.kept_steps.put(key_of(step, done.parts), run.id, done.name, done.ended_at)

    def _basis(self, run: Job, step: PipelineStep, parts: Mapping[str, str]) -> Basis:
        if not step.allow_reuse:
            return Basis(parts, "ran: reuse is off for this step")
        assert isinstance(run.spec, PipelineRunSpec)
        kept, own = self._store.kept_steps.get(key_of(step, parts)), run.spec.pipeline
        if kept is not None and kept.step.parts == parts and kept.step.kind is step.kind:
            if is_there(self._store, self._paths, step, kept.step):
                return _taken(kept, own, parts)
            return Basis(parts, f"ran: the outputs of {_named(kept, own)} were removed")
        return Basis(parts, self._why(run.spec, run.id, step, parts))

    def _why(self, wanted: PipelineRunSpec, run_id: str, step: PipelineStep, parts: Mapping[str, str]) -> str:
        if wanted.retry_of and (failed := self._failed(wanted.retry_of, step.name)):
            return failed
        last = self._store.kept_steps.last(wanted.pipeline, step.name, run_id)
        if last is None:
            return FIRST
        if not last.step.parts:
            return f"ran: run {last.number} did not note what it depended on"
        if names := changed_parts(last.step.parts, parts):
            changed = listed([each for name in names for each in self._called(wanted, last, step, name)])
            return f"ran: {changed} changed since run {last.number}"
        if not is_there(self._store, self._paths, step, last.step):
            return f"ran: the outputs of run {last.number} were removed"
        if last.step.reused_from and self._store.runs.summary(last.step.reused_from) is None:
            return f"ran: the run whose outputs run {last.number} reused was removed"
        return f"ran: nothing was kept of run {last.number} for reuse"

    def _before_it_is_seen(self, run: Job, step: PipelineStep) -> str:
        """Why a step begins that reads more than the service may; its own process says more."""
        assert isinstance(run.spec, PipelineRunSpec)
        first = self._store.kept_steps.last(run.spec.pipeline, step.name, run.id) is None
        return FIRST if first else TO_SEE

    def _called(self, wanted: PipelineRunSpec, last: Done, step: PipelineStep, part: str) -> Sequence[str]:
        """A part as its pipeline's people call it: a setting by the parameters of the run that changed in it."""
        if not part.startswith((PARAMETER, SETTING)):
            return (_WORDS.get(part, part),)
        name = part.partition(" ")[2]
        settings = self._store.pipelines.get(wanted.pipeline_id).spec.step(step.name).settings
        said = settings.get(name, (settings.get(ARGUMENTS) or {}).get(name))
        before = self._store.jobs.get(last.run_id).spec
        assert isinstance(before, PipelineRunSpec)
        others = [p for p in referred(said) if before.parameters.get(p) != wanted.parameters.get(p)]
        return [f"{PARAMETER}{each}" for each in others] or (part,)

    def _failed(self, run_id: str, step: str) -> str:
        summary = self._store.runs.summary(run_id)
        before = next((each for each in self._store.runs.steps(run_id) if each.name == step), None)
        if summary is None or before is None or before.state is not StepState.FAILED:
            return ""
        return f"ran: retry after a failure in run {summary.number}"


def is_there(store: Nouns, paths: Paths, step: PipelineStep, done: StepRun) -> bool:
    """Whether all that a step has given is there still."""
    kinds = outputs_of(step)
    return all(
        _exists(store, paths, kinds.get(name, ValueType.JSON), value, done.ended_at or 0.0)
        for name, value in done.outputs.items()
    )


def changed_parts(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What is not as it was, by the parts' names."""
    names = [name for name in {**now, **before} if before.get(name) != now.get(name)]
    if any(name.startswith(PARAMETER) for name in names):
        names = [name for name in names if not name.startswith(SETTING)]  # it is the parameter in it that changed
    return names


def listed(names: Sequence[str]) -> str:
    """Some names in a sentence, each once."""
    words = list(dict.fromkeys(names))
    if len(words) > CHANGED_MAX:
        return f"{', '.join(words[:CHANGED_MAX])} and {len(words) - CHANGED_MAX} more"
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


_WORDS = {"code": "its code", "lock file": "the lock file", "live model": "the live model", "source": "its source"}


def _exists(store: Nouns, paths: Paths, kind: ValueType, value: object, ended_at: float) -> bool:
    try:
        match kind:
            case ValueType.DATA:
                store.data.get(DataRef(*reference(str(value))))
            case ValueType.MODEL:
                store.models.get(*reference(str(value)))
            case ValueType.DEPLOYMENT:
                endpoint, _, name = str(value).partition("/")
                # Another model may have been deployed under the same name since.
                return store.deployments.get(endpoint, name).created_at <= ended_at
            case ValueType.JOB:
                job = store.jobs.get(str(value))
                return job.state is JobState.SUCCEEDED and paths.job_model(job.id).exists()
            case ValueType.FILE:
                job_id, _, name = str(value).partition("/")
                return (paths.step_outputs(job_id) / name).exists()
    except SlipwayError:
        return False
    return True


def _as_noted(store: Nouns, step: PipelineStep, done: StepRun) -> bool:
    """Whether code, packages and live model are those with which the step began, and not newer ones."""
    now = surroundings(store, step)
    return all(done.parts.get(name) == now.get(name) for name in CHANGES)


def _taken(kept: Done, own: str, parts: Mapping[str, str]) -> Basis:
    return Basis(
        parts,
        f"reused: same inputs and code as {_named(kept, own)}",
        reused_from=kept.run_id,
        outputs=kept.step.outputs,
        files=kept.step.files,
        note=kept.step.note,
        job_id=kept.step.job_id,
    )


def _named(done: Done, own: str) -> str:
    return f"run {done.number}" if done.pipeline == own else f"run {done.number} of '{done.pipeline}'"
