"""How far a job has come, read from what it has left: the store's rows and the files in its folder."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from core.domain.job import Job, JobKind
from core.domain.proof import LoadReport
from core.domain.training import TrialState
from core.local.paths import Paths
from core.local.store import Store

KEPT = 2**40
"""More than there are chunks of any table."""


def how_far(store: Store, paths: Paths, job: Job) -> int:
    """A number that grows with every finished piece of a job's work: trials, chunks, steps, checks, seconds of load.

    Gates and load tests begin anew with each attempt; for them it says how far the latest attempt got.
    """
    return COUNTS[job.kind](store, paths, job.id)


def _of_training(store: Store, paths: Paths, job_id: str) -> int:
    done = (TrialState.SUCCEEDED, TrialState.FAILED)
    return (
        sum(trial.state in done for trial in store.trials.list(job_id)) + (paths.job(job_id) / "result.json").exists()
    )


def _of_batch(store: Store, paths: Paths, job_id: str) -> int:
    """Its counted chunks; once the result is kept these are removed, and the fewer are left, the farther it is."""
    chunks = paths.job(job_id) / "chunks"
    if (paths.job(job_id) / "result.json").exists():
        return KEPT - sum(1 for _ in chunks.glob("*"))
    return sum(1 for _ in chunks.glob("*.json"))


def _of_run(store: Store, paths: Paths, job_id: str) -> int:
    """Its steps, and how far the jobs are that it waits for."""
    steps = sum(step.state.final for step in store.steps.list(job_id))
    return steps + sum(how_far(store, paths, child) for child in store.jobs.children(job_id))


def _of_gate(store: Store, paths: Paths, job_id: str) -> int:
    return _read(paths.gate_progress(job_id)).count(b"\n")


def _of_load(store: Store, paths: Paths, job_id: str) -> int:
    told = _read(paths.load_progress(job_id))
    return len(msgspec.json.decode(told, type=LoadReport).seconds) if told else 0


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


COUNTS: Mapping[JobKind, Callable[[Store, Paths, str], int]] = {
    JobKind.AUTOML: _of_training,
    JobKind.BATCH: _of_batch,
    JobKind.PIPELINE: _of_run,
    JobKind.GATE: _of_gate,
    JobKind.LOADTEST: _of_load,
}
