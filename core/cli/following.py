"""Wait for what was submitted."""

from collections.abc import Callable
from typing import TypeVar

from core.cli.command import DONE, FAILED, Context, Outcome
from core.domain.job import Job, JobState

T = TypeVar("T")

POLL_S = 0.2


def follow(context: Context, look: Callable[[], T], done: Callable[[T], bool]) -> T:
    """Look until `done`."""
    while not done(now := look()):
        context.sleep(POLL_S)
    return now


def ended(context: Context, job_id: str) -> Outcome:
    """The job once it has ended; it decides the exit code."""
    job: Job = follow(context, lambda: context.workspace.jobs.get(job_id), lambda job: job.state.final)
    return Outcome(job, DONE if job.state is JobState.SUCCEEDED else FAILED)
