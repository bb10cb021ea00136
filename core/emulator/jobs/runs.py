"""Runs: one record for every job, every child of a job, and every run that an MLflow client has made.

A job's ARM document says what was asked; its run says what becomes of it. The planes of run history, metrics and MLflow
show runs.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from core.emulator.arm.resources import WHO
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document
from core.emulator.names import NAMESPACE

FINAL = frozenset({"Completed", "Failed", "Canceled"})
DEFAULT_EXPERIMENT = "Default"


@dataclass(frozen=True, slots=True)
class Run:
    """One run as it is kept; times are the emulation's, in seconds since the epoch."""

    id: str
    experiment: str
    kind: str
    """`automl`, `trial`, `phase` (the set-up of an AutoML job and its like), `command`, `pipeline`, `mlflow`."""
    created_at: float
    status: str = "NotStarted"
    parent: str = ""
    root: str = ""
    display_name: str = ""
    description: str | None = None
    started_at: float | None = None
    ended_at: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    error: Document | None = None
    """`code` and `message`, once it has failed."""
    archived: bool = False
    compute: str = ""
    local: Mapping[str, Any] = field(default_factory=dict)
    """What does the work: a job of the workspace and a trial's number, or a process."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Name of an output -> the address of its data."""
    output_types: Mapping[str, str] = field(default_factory=dict)

    @property
    def final(self) -> bool:
        """It can become nothing else."""
        return self.status in FINAL

    @property
    def number(self) -> str:
        """Its identifier that is a UUID, always the same."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"run/{self.id.lower()}"))


def keep(emulation: Emulation, run: Run) -> Run:
    """Remember a run as it is now, and which are not final."""
    emulation.state.put(_key(run.id), asdict(run))
    if run.kind != "trial":
        if run.final:
            emulation.state.delete(f"open-run/{run.id}")
        elif emulation.state.get(f"open-run/{run.id}") is None:
            emulation.state.put(f"open-run/{run.id}", {"kind": run.kind})
    return run


def find(emulation: Emulation, run_id: str) -> Run | None:
    """A run by its id, in any case of its letters."""
    kept = emulation.state.get(_key(run_id))
    return None if kept is None else Run(**kept)


def get(emulation: Emulation, run_id: str) -> Run:
    """A run. Raises AzureError 404."""
    found = find(emulation, run_id)
    if found is None:
        raise AzureError(404, "UserError", f"Run {run_id} was not found")
    return found


def unfinished(emulation: Emulation, *kinds: str) -> tuple[Run, ...]:
    """The runs of these kinds that go on, the oldest first."""
    ids = [key.partition("/")[2] for key, kept in emulation.state.below("open-run/") if kept["kind"] in kinds]
    return tuple(run for each in ids if (run := find(emulation, each)))


def every(emulation: Emulation) -> Iterator[Run]:
    """All runs, the oldest first."""
    for _, kept in emulation.state.below("run/"):
        yield Run(**kept)


def children(emulation: Emulation, run_id: str) -> tuple[Run, ...]:
    """The runs whose parent it is, the oldest first."""
    return tuple(run for run in every(emulation) if run.parent.lower() == run_id.lower())


def change(emulation: Emulation, run_id: str, **changed: Any) -> Run:
    """Change some of a run; nobody changes it meanwhile."""
    with emulation.state.lock:
        return keep(emulation, replace(get(emulation, run_id), **changed))


def ended(emulation: Emulation, run_id: str, status: str, error: Document | None = None, **changed: Any) -> Run:
    """A run that has become final, now; one that has failed before its work began has at least begun."""
    now = emulation.clock.now()
    if status != "Canceled" and get(emulation, run_id).started_at is None:
        changed.setdefault("started_at", now)
    return change(emulation, run_id, status=status, error=error, ended_at=now, **changed)


def forget(emulation: Emulation, run_id: str) -> None:
    """Remove a run with its children and all that they have logged."""
    for child in children(emulation, run_id):
        forget(emulation, child.id)
    for key, _ in list(emulation.state.below(f"metric/{run_id}/")):
        emulation.state.delete(key)
    for key in (_key(run_id), f"open-run/{run_id}", job_path(emulation, run_id)):
        emulation.state.delete(key)


def job_path(emulation: Emulation, run_id: str) -> str:
    """The ARM id of the job of a run."""
    return f"{emulation.names.workspace_path}/jobs/{run_id}"


def child_document(emulation: Emulation, run: Run) -> None:
    """A child has a job document without properties, as Azure has it: its run is read from run history."""
    path = job_path(emulation, run.id)
    if emulation.state.get(path) is None:
        made = {"createdAt": iso(run.created_at), "createdBy": WHO, "createdByType": "Application"}
        kind = f"{NAMESPACE}/workspaces/jobs"
        emulation.state.put(path, {"id": path, "name": run.id, "type": kind, "systemData": made})


def _key(run_id: str) -> str:
    return f"run/{run_id}"
