"""The limits of steps, held from outside: a process that hangs, or that memory drowns, cannot hold its own."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from core.domain.job import Job, JobKind
from core.domain.run import PipelineRunSpec, StepSpec
from core.domain.steps import STEP_TYPES
from core.local.machine import families
from core.local.machine.families import Limits
from core.local.machine.processes import Process
from core.local.store import Store

OWN_CODE_SLACK_S = 5.0
"""The worker of a step with code of its own holds the program's limits itself; later than that it must be hung."""


@dataclass(frozen=True, slots=True)
class _Held:
    limits: Limits
    began: float
    """On our clock that nobody can set."""


class StepLimits:
    """Time and memory of every step's process, and of those of the training or the gate that a step has started."""

    def __init__(
        self, store: Store, clock: Callable[[], float], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._clock, self._monotonic = store, clock, monotonic
        self._held: dict[str, _Held | None] = {}

    def keep(self, job_ids: Collection[str]) -> None:
        """Forget all other jobs."""
        self._held = {job_id: held for job_id, held in self._held.items() if job_id in job_ids}

    def broken(self, job: Job, worker: Process) -> str:
        """Which limit a job exceeds, in a sentence; empty where it exceeds none or has none."""
        if job.id not in self._held:
            if (attempt := self._attempt(job)) is None:
                return ""  # until a step says that it waits for it
            self._held[job.id] = self._of(attempt, job)
        if (held := self._held[job.id]) is None:
            return ""
        used_mb = 0.0
        if held.limits.memory_mb is not None:
            used_mb = families.used_mb(families.tree(worker), held.limits.memory_mb)
        return held.limits.broken(self._monotonic() - held.began, used_mb)

    def _attempt(self, job: Job) -> Job | None:
        """The step's own job for a job that counts for a step: itself, or the one that has started or awaits it."""
        if job.kind is JobKind.STEP:
            return job
        attempt_id = job.parent_id or (self._store.runs.awaiting(job.id) if job.kind is JobKind.GATE else "")
        attempt = self._store.jobs.get(attempt_id) if attempt_id else None
        return attempt if attempt is not None and attempt.kind is JobKind.STEP else None

    def _of(self, attempt: Job, job: Job) -> _Held | None:
        assert isinstance(attempt.spec, StepSpec)
        run = self._store.jobs.get(attempt.spec.run_id)
        assert isinstance(run.spec, PipelineRunSpec)
        step = self._store.pipelines.get(run.spec.pipeline_id).spec.step(attempt.spec.step)
        if step.timeout_s is None and step.memory_mb is None:
            return None
        since_s = max(0.0, self._clock() - (attempt.started_at or self._clock()))
        began = self._monotonic() - since_s
        if attempt is job and STEP_TYPES[step.kind].own_code:  # its worker looks closer
            return _Held(Limits(step.timeout_s), began + OWN_CODE_SLACK_S)
        return _Held(Limits(step.timeout_s, step.memory_mb), began)
