"""Jobs as Azure's SDK gives them, as jobs of ours. One of a kind that is none of ours is None."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from core.azure.context import Context
from core.azure.job_errors import hint_of
from core.azure.leaderboard import best_told
from core.azure.names import mapping
from core.azure.runs import Document, said_in
from core.azure.training import minutes, notes, spec_of
from core.azure.translate import created_at, seconds
from core.domain.job import Job, JobKind
from core.domain.job_state import JobState
from core.domain.training import TrainingResult

QUEUED, RUNNING = JobState.QUEUED, JobState.RUNNING
STATES: Mapping[str, JobState] = {
    **dict.fromkeys(("notstarted", "queued", "provisioning", "preparing", "starting", "paused", "scheduled"), QUEUED),
    **dict.fromkeys(("running", "finalizing", "cancelrequested", "notresponding", "unknown"), RUNNING),
    **dict.fromkeys(("completed", "finished"), JobState.SUCCEEDED),
    "failed": JobState.FAILED,
    **dict.fromkeys(("canceled", "cancelled"), JobState.CANCELED),
}
"""Azure's states in small letters -> ours."""


def state_of(job: Any) -> JobState:
    """Where a job of Azure's stands; a state that is not known yet is one that goes on."""
    return STATES.get(_word(job.status), RUNNING)


def cancel_requested(job: Any) -> bool:
    """Whether somebody has asked it to end."""
    return _word(job.status) in ("cancelrequested", "canceled", "cancelled")


def _word(status: Any) -> str:
    return str(getattr(status, "value", status) or "").lower()


def training_job(context: Context, job: Any) -> Job | None:
    """An AutoML job, with the best trial as far as its own tags tell."""
    spec = spec_of(job)
    if spec is None:
        return None
    state, result = state_of(job), None
    best = best_told(mapping(job.tags), spec.primary_metric)
    if state is JobState.SUCCEEDED and best is not None:
        asked = getattr(getattr(job, "limits", None), "timeout_minutes", None) or minutes(spec)
        result = TrainingResult(best, notes=notes(spec, int(asked)))
    return Job(
        id=str(job.name),
        kind=JobKind.AUTOML,
        state=state,
        experiment_name=spec.experiment_name,
        compute=spec.compute,
        spec=spec,
        created_at=created_at(job),
        attempt=int(state is not QUEUED),
        cancel_requested=cancel_requested(job),
        result=result,
    )


READERS: Mapping[str, Callable[[Context, Any], Job | None]] = {"automl": training_job}
"""`type` of the SDK's job -> who reads it."""


def read_job(context: Context, job: Any) -> Job | None:
    """A job of a kind that we have; None for any other, and for what could not be read."""
    reader = READERS.get(str(getattr(job, "type", "") or "").lower())
    return reader(context, job) if reader else None


def with_details(job: Job, found: Document) -> Job:
    """The job with its times, and why it failed, as run history tells."""
    started, ended = seconds(found.get("startTimeUtc")), seconds(found.get("endTimeUtc"))
    message = said_in(found) if job.state is JobState.FAILED else ""
    if job.state is JobState.FAILED and not message:
        message = "Azure does not say why it failed"
    return replace(
        job,
        started_at=started or None,
        ended_at=(ended or None) if job.state.final else None,
        message=message,
        hint=hint_of(found, message) if message else "",
    )
