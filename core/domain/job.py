"""Jobs: what was asked, where it stands, and which moves are possible."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.domain.errors import JobStateInvalid, SpecInvalid
from core.domain.rules import check_text, check_whole

BUG_HINT = "This is a bug in Slipway; the traceback is in the log"
"""The hint of a job that no failure of our family has ended."""


class JobKind(StrEnum):
    AUTOML = "automl"
    PIPELINE = "pipeline"
    GATE = "gate"
    LOADTEST = "loadtest"
    BATCH = "batch"


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def final(self) -> bool:
        return self not in NEXT


NEXT: Mapping[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELED, JobState.FAILED}),
    JobState.RUNNING: frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED}),
}
"""A state absent here is final. A resumed job stays `running`; `attempt` counts its starts."""


def move(now: JobState, to: JobState) -> JobState:
    """`to`, when a job in state `now` may become that. Raises JobStateInvalid."""
    if to not in NEXT.get(now, frozenset()):
        raise JobStateInvalid(f"A {now} job cannot become {to}")
    return to


@dataclass(frozen=True, slots=True)
class Job:
    """One unit of work that the service runs to its end.

    `spec` and `result` are plain JSON: the spec as it was submitted, the result as the worker left it.
    """

    id: str
    kind: JobKind
    state: JobState
    experiment_name: str
    compute: str
    spec: Mapping[str, Any]
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    attempt: int = 0
    cancel_requested: bool = False
    parent_id: str | None = None
    message: str = ""
    """Why it failed, for people."""
    hint: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a job's or an endpoint's log."""

    at: float
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class BatchSpec:
    """Score every row of a table with one deployment and keep the answers as a file.

    The table is a version of a data asset, or, as `source`, a file or a known name that is read once, for this job.
    """

    endpoint: str
    data: str = ""
    data_version: int = 0
    deployment: str = ""
    experiment_name: str = "batch"
    compute: str = "local"
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("endpoint", "experiment_name", "compute"):
            check_text(name, getattr(self, name))
        for name in ("data", "source"):
            check_text(name, getattr(self, name), empty=True)
        if bool(self.data.strip()) == bool(self.source.strip()):
            raise SpecInvalid("A batch scores either a data asset or a source", hint="Name one table")
        check_whole("data_version", self.data_version, 0, 1_000_000_000)
        check_text("deployment", self.deployment, empty=True)
