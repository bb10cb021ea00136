"""Where a job stands, and which moves are possible."""

from collections.abc import Mapping
from enum import StrEnum

from core.domain.errors import JobStateInvalid


class JobState(StrEnum):
    """Where a job stands; `NEXT` says which moves are possible."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def final(self) -> bool:
        """It can become nothing else."""
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
