"""Every pipeline run brought forward: what `advance` says is carried out, each round in one transaction."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.definitions.advance import Action, Begin, End, Ended, Seen, advance, apply, awaited, waits_for_time
from core.definitions.pipelines import plan
from core.domain.errors import JobStateInvalid, ServiceUnavailable, SlipwayError, StorageFull, StoredUnreadable
from core.domain.job import BUG_HINT, Job, JobKind, JobState
from core.domain.pipeline import PipelineStep
from core.domain.run import PipelineRunSpec, StepRun, StepSpec, StepState
from core.local.context import LOCAL_COMPUTE
from core.local.machine import processes
from core.local.machine.failpoints import Failpoint, reach
from core.local.machine.processes import NOBODY
from core.local.paths import new_id
from core.local.reuse import Reuses
from core.local.service.backoff import Backoff
from core.local.store import Store
from core.local.store.ending import end_run
from core.settings import Settings

log = logging.getLogger(__name__)

ROUNDS_MAX = 1000
"""Far more than any run needs in one look; a run that never comes to rest is a bug, and must not hold up the others."""


@dataclass(slots=True)
class _Going:
    """A run that goes on, as it is in the store: nobody but us changes its steps."""

    job: Job
    plan: tuple[PipelineStep, ...]
    max_concurrent: int
    steps: tuple[StepRun, ...]
    stopped: set[str] = field(default_factory=set)
    """The jobs that were asked to end with it."""

    @property
    def awaited(self) -> tuple[str, ...]:
        return tuple(awaited(step) for step in self.steps if step.state is StepState.RUNNING)


class Runs:
    """The service's hand on the runs. A run costs no process, and no work while nothing of it has ended."""

    def __init__(self, store: Store, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        self._store, self._settings, self._clock = store, settings, clock
        self._backoff = Backoff()
        self._going: dict[str, _Going] = {}
        self._reuses = Reuses(store, settings)

    def tick(self) -> None:
        """Begin runs while there is room, and bring forward those of which something has ended."""
        going = self._store.runs.going()
        room = self._settings.runs_max_concurrent - len(going)
        if room > 0:
            going += tuple((run_id, False) for run_id in self._store.runs.waiting(room) if self._begun(run_id))
        self._going = {run_id: self._going[run_id] for run_id, _ in going if run_id in self._going}
        ended = set(self._store.runs.ended(job_id for run in self._going.values() for job_id in run.awaited))
        for run_id, canceling in going:
            if run_id not in self._going or self._has_news(self._going[run_id], ended, canceling):
                self._guarded(run_id, canceling)

    def _begun(self, run_id: str) -> bool:
        """Whether a run that waited goes on now: somebody may have canceled it a moment ago."""
        if self._backoff.waits(run_id):
            return False
        try:
            self._store.jobs.start_attempt(run_id, self._clock())
        except JobStateInvalid:
            return False
        except StoredUnreadable as e:
            self._put_off(run_id, e)
            return False
        return True

    def _has_news(self, run: _Going, ended: set[str], canceling: bool) -> bool:
        return (
            not ended.isdisjoint(run.awaited)
            or waits_for_time(run.steps)
            or (canceling and not run.stopped.issuperset(run.awaited))
            or (canceling and not run.awaited)
            or all(step.state.final for step in run.steps)
        )

    def _guarded(self, run_id: str, canceling: bool) -> None:
        """One run's failure is its own: the others go on."""
        if self._backoff.waits(run_id):
            return
        try:
            self._bring_forward(run_id, canceling)
        except (StorageFull, ServiceUnavailable, OSError) as e:
            self._going.pop(run_id, None)
            self._put_off(run_id, e)
        except SlipwayError as e:
            self._give_up(run_id, e.message, e.hint)
        except Exception as e:
            log.exception("run %s: a bug", run_id)
            self._give_up(run_id, f"{type(e).__name__}: {e}", BUG_HINT)
        else:
            self._backoff.clear(run_id)

    def _bring_forward(self, run_id: str, canceling: bool) -> None:
        run = self._going.get(run_id) or self._loaded(run_id)
        self._going[run_id] = run
        for _ in range(ROUNDS_MAX):
            if canceling:
                self._stop_jobs(run)
            seen = Seen(
                self._ended(run), canceling, lambda step, _: self._reuses.look(run.job, run.plan, run.steps, step)
            )
            actions = advance(run.plan, run.steps, seen, self._clock(), run.max_concurrent)
            if not actions:
                return
            self._carry_out(run, actions)
            if isinstance(actions[-1], End):
                del self._going[run_id]
                return
        raise RuntimeError(f"Run {run_id} did not come to rest")

    def _loaded(self, run_id: str) -> _Going:
        job = self._store.jobs.get(run_id)
        assert isinstance(job.spec, PipelineRunSpec)
        if (worker := self._store.jobs.worker(run_id)) is not None and worker != NOBODY:
            processes.end_groups([worker], 0.0)  # before 0.5.0 each run had a process of its own
            self._store.jobs.set_worker(run_id, NOBODY)
        spec = self._store.pipelines.get(job.spec.pipeline_id).spec
        steps = self._store.runs.steps(run_id)
        return _Going(job, plan(spec, job.spec.parameters), spec.max_concurrent, steps)

    def _ended(self, run: _Going) -> dict[str, Ended]:
        jobs = map(self._store.jobs.get, self._store.runs.ended(run.awaited))
        return {job.id: Ended(job.state, job.message, job.hint, job.result) for job in jobs}

    def _stop_jobs(self, run: _Going) -> None:
        for job_id in run.awaited:
            if job_id not in run.stopped:
                self._store.jobs.cancel(job_id, self._clock())
                run.stopped.add(job_id)

    def _carry_out(self, run: _Going, actions: Sequence[Action]) -> None:
        """All of them, or none: what is in memory changes when the transaction has ended well."""
        now, steps = self._clock(), run.steps
        reach(Failpoint.RUN_DECIDED)
        with self._store.write() as tx:
            for action in actions:
                if isinstance(action, End):
                    end_run(tx, run.job, action, now)
                    continue
                job_id = tx.jobs.add(self._attempt(run, action)).id if isinstance(action, Begin) else ""
                steps = apply(steps, action, now, job_id)
            changed = [new for old, new in zip(run.steps, steps, strict=True) if new is not old]
            self._reuses.keep(tx, run.job, run.plan, run.steps, changed)
            if changed:
                tx.runs.put_steps(run.job.id, changed)
        reach(Failpoint.RUN_CARRIED_OUT)
        run.steps = steps
        for action in actions:
            log.info("run %s: %s", run.job.id, _said(action))

    def _attempt(self, run: _Going, begin: Begin) -> Job:
        step = next(step for step in run.plan if step.name == begin.step)
        spec = StepSpec(run.job.id, step.name, begin.attempt)
        return Job(
            new_id(self._clock),
            JobKind.STEP,
            JobState.QUEUED,
            run.job.experiment_name,
            LOCAL_COMPUTE,
            spec,
            self._clock(),
            parent_id=run.job.id,
        )

    def _give_up(self, run_id: str, message: str, hint: str) -> None:
        """End a run that cannot go on, with whatever of it still runs."""
        log.error("run %s failed: %s", run_id, message)
        self._going.pop(run_id, None)
        try:
            with self._store.write() as tx:  # killed in between, it would end as canceled and nobody be told
                job = tx.jobs.cancel(run_id, self._clock())
                end_run(tx, job, End(JobState.FAILED, message, hint), self._clock())
        except JobStateInvalid:
            log.info("run %s had ended by itself", run_id)
        except (StorageFull, ServiceUnavailable, StoredUnreadable) as e:
            self._put_off(run_id, e)

    def _put_off(self, run_id: str, error: Exception) -> None:
        """What passes by itself; and what cannot be read stays as it is, for a Slipway that can."""
        log.warning("run %s: %s; trying again", run_id, error)
        self._backoff.failed(run_id)


def _said(action: Action) -> str:
    if isinstance(action, End):
        return f"ended {action.state}{f': {action.message}' if action.message else ''}"
    return f"{type(action).__name__.lower()} {action.step}"
