"""Every kind of job that a process of its own does: a new one is a file with its `run` and an entry here.

What a kind is asked for and leaves, and its label, stand in `core.domain.job.JOB_TYPES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.domain.job import Job, JobKind
from core.local.context import PROOF_COMPUTE
from core.local.paths import Paths
from core.local.store import Store
from core.local.worker import progress

STEPS = "steps"
"""Steps have places of their own: what takes long in them is a training or a gate, which has its own."""


@dataclass(frozen=True, slots=True)
class Doing:
    """How this machine does one kind of job."""

    run: str
    """`module:function`, loaded when needed: a load test needs no learner."""
    pieces: Callable[[Store, Paths, str], int] = progress.none
    """How many of its pieces a job has done; a death counts less where there came more of them."""
    place: str = ""
    """Whose room it takes; empty: that of its compute."""


KINDS: Mapping[JobKind, Doing] = {
    JobKind.AUTOML: Doing("core.local.worker.automl:run", progress.of_training),
    JobKind.BATCH: Doing("core.local.worker.batch:run", progress.of_batch),
    JobKind.GATE: Doing("core.local.worker.gate:run", progress.of_gate, PROOF_COMPUTE),
    JobKind.LOADTEST: Doing("core.local.worker.loadtest:run", progress.of_load, PROOF_COMPUTE),
    JobKind.STEP: Doing("core.local.worker.step:run", place=STEPS),
}


def how_far(store: Store, paths: Paths, job: Job) -> int:
    """A number that grows with every finished piece of a job's work: trials, chunks, steps, checks, seconds of load.

    Gates and load tests begin anew with each attempt; for them it says how far the latest attempt got.
    """
    children = store.jobs.children(job.id)  # a run waits for them, and is as far as they are
    return KINDS[job.kind].pieces(store, paths, job.id) + sum(how_far(store, paths, child) for child in children)
