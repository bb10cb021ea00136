"""A run's end: one transaction with what has to be told of it."""

from core.definitions.advance import End
from core.domain.job import Job, JobState
from core.local.store import Nouns


def end_run(tx: Nouns, job: Job, end: End, now: float) -> None:
    """Give a run its final state, inside a transaction. A failed one is told of once (`notices`)."""
    tx.jobs.end(job.id, end.state, now, message=end.message, hint=end.hint, result=end.result)
    if end.state is JobState.FAILED:
        tx.notices.add(job.id, now)
