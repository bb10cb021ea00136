"""The limits of steps, held from outside: a process that hangs, or that memory drowns, cannot hold its own."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from core.domain.job import Job
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
            self._held[job.id] = self._of(job)
        if (held := self._held[job.id]) is None:
            return ""
        used_mb = 0.0
        if held.limits.memory_mb is not None:
            used_mb = families.used_mb(families.tree(worker), held.limits.memory_mb)
        return held.limits.broken(self._monotonic() - held.began, used_mb)

    def _of(self, job: Job) -> _Held | None:
        """A step's job, or one that a step has started and that counts for it."""
        attempt = job
        if not isinstance(job.spec, StepSpec):
            if job.parent_id is None:
                return None
            attempt = self._store.jobs.get(job.parent_id)
        if not isinstance(attempt.spec, StepSpec):
            return None
        run = self._store.jobs.get(attempt.spec.run_id)
        assert isinstance(run.spec, PipelineRunSpec)
        step = self._store.pipelines.get(run.spec.pipeline_id).spec.step(attempt.spec.step)
        if step.timeout_s is None and step.memory_mb is None:
            return None
        since_s = max(0.0, self._clock() - (attempt.started_at or self._clock()))
        began = self._monotonic() - since_s
        if STEP_TYPES[step.kind].own_code:  # its worker looks closer, and says what the program printed last
            return _Held(Limits(step.timeout_s), began + OWN_CODE_SLACK_S)
        return _Held(Limits(step.timeout_s, step.memory_mb), began)
