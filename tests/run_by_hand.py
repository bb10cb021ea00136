"""Runs of pipelines done in this process: what the service does with them, with steps that end at once."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.definitions.advance import Begin, End, Ended, Seen, advance, apply, awaited
from core.domain.endpoint import EndpointKeys
from core.domain.job import Job, JobKind, JobState
from core.domain.pipeline import PipelineSpec, PipelineStep
from core.domain.run import PipelineRunSpec, StepResult, StepRun, StepSpec
from core.local.paths import new_id
from core.local.reuse import Reuses
from core.local.store import Nouns, Store
from core.local.store.ending import end_run
from core.local.store.transactions import add_run
from core.settings import Settings

Does = Callable[[PipelineStep, str], StepResult | Ended]
"""What an attempt at a step comes to, by the step and the job's id."""


def nothing(step: PipelineStep, job_id: str) -> StepResult:
    return StepResult({"value": 1})


@dataclass
class ByHand:
    """One workspace's runs; a pipeline's plan is its steps as they are given, with settings and inputs in."""

    store: Store
    settings: Settings
    does: Does = nothing
    began: list[str] = field(default_factory=list)
    """The steps that were really done, in order."""

    def add(
        self,
        plan: Sequence[PipelineStep],
        name: str = "p",
        *,
        retry_of: str = "",
    ) -> Job:
        """A run that waits."""
        keys = EndpointKeys("k1", "k2")
        published = self.store.pipelines.publish(new_id(), PipelineSpec(name, tuple(plan)), "", keys, time.time())
        version = self.store.pipelines.get(published.id).version
        wanted = PipelineRunSpec(published.id, name, version, {}, retry_of=retry_of)
        job = Job(new_id(), JobKind.PIPELINE, JobState.QUEUED, "x", "local", wanted, time.time())
        with self.store.write() as tx:
            add_run(tx, job, [StepRun(step.name, step.kind) for step in plan])
        return job

    def run(self, plan: Sequence[PipelineStep], name: str = "p", **more: Any) -> dict[str, StepRun]:
        """A run from its beginning to its end: its steps by name."""
        job = self.add(plan, name, **more)
        return self.finish(job, plan)

    def finish(self, job: Job, plan: Sequence[PipelineStep]) -> dict[str, StepRun]:
        """Do a run that waits, all of it."""
        self.store.jobs.start_attempt(job.id, time.time())
        while self.once(job, plan):
            pass
        return {step.name: step for step in self.store.runs.steps(job.id)}

    def once(self, job: Job, plan: Sequence[PipelineStep]) -> bool:
        """One round, as the service's; whether the run goes on."""
        steps, reuses, now = self.store.runs.steps(job.id), Reuses(self.store, self.settings), time.time()
        ended = {awaited(step): self._ended(plan, step) for step in steps if step.state == "running"}
        actions = advance(plan, steps, Seen(ended, look=lambda step, _: reuses.look(job, plan, steps, step)), now)
        before = steps
        with self.store.write() as tx:
            for action in actions:
                if isinstance(action, End):
                    end_run(tx, job, action, now)
                    return False
                steps = apply(steps, action, now, _attempt(tx, job, action) if isinstance(action, Begin) else "")
            changed = [new for old, new in zip(before, steps, strict=True) if new is not old]
            reuses.keep(tx, job, plan, before, changed)
            tx.runs.put_steps(job.id, changed)
        return True

    def _ended(self, plan: Sequence[PipelineStep], run: StepRun) -> Ended:
        if run.started_job_id:  # a training or a gate, which the test has ended
            job = self.store.jobs.get(run.started_job_id)
            return Ended(job.state, job.message, job.hint, job.result)
        self.began.append(run.name)
        came = self.does(next(step for step in plan if step.name == run.name), run.job_id)
        return came if isinstance(came, Ended) else Ended(JobState.SUCCEEDED, result=came)


def _attempt(tx: Nouns, run: Job, begin: Begin) -> str:
    """The id of a step's job, which nobody does but us."""
    spec, now = StepSpec(run.id, begin.step, begin.attempt), time.time()
    job = Job(new_id(), JobKind.STEP, JobState.QUEUED, "x", "local", spec, now, parent_id=run.id)
    return tx.jobs.add(job).id
