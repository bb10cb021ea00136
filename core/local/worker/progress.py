"""How many pieces of its work a job has done, by its kind: read from the rows and files that it has left."""

from pathlib import Path

import msgspec

from core.domain.proof import LoadReport
from core.domain.training import TrialState
from core.local.paths import Paths
from core.local.store import Store

KEPT = 2**40
"""More than there are chunks of any table."""


def none(store: Store, paths: Paths, job_id: str) -> int:
    """Of a job that is done in one piece."""
    return 0


def of_training(store: Store, paths: Paths, job_id: str) -> int:
    """Its trials that have ended, and its result once that is kept."""
    done = (TrialState.SUCCEEDED, TrialState.FAILED)
    return (
        sum(trial.state in done for trial in store.trials.list(job_id)) + (paths.job(job_id) / "result.json").exists()
    )


def of_batch(store: Store, paths: Paths, job_id: str) -> int:
    """Its counted chunks; once the result is kept these are removed, and the fewer are left, the farther it is."""
    chunks = paths.job(job_id) / "chunks"
    if (paths.job(job_id) / "result.json").exists():
        return KEPT - sum(1 for _ in chunks.glob("*"))
    return sum(1 for _ in chunks.glob("*.json"))


def of_gate(store: Store, paths: Paths, job_id: str) -> int:
    """The checks that its latest attempt has judged."""
    return _read(paths.gate_progress(job_id)).count(b"\n")


def of_load(store: Store, paths: Paths, job_id: str) -> int:
    """The seconds that its latest attempt has driven."""
    told = _read(paths.load_progress(job_id))
    return len(msgspec.json.decode(told, type=LoadReport).seconds) if told else 0


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
