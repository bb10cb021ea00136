"""Jobs as Azure's SDK gives them, as jobs of ours. One of a kind that is none of ours is None."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from core.azure.context import Context
from core.azure.job_errors import hint_of
from core.azure.kept import found
from core.azure.leaderboard import best_told
from core.azure.names import mapping
from core.azure.pipelines import words
from core.azure.pipelines.published import published
from core.azure.runs import Document, said_in
from core.azure.training import minutes, notes
from core.azure.training_reading import spec_of
from core.azure.translate import created_at, seconds
from core.domain.job import Job, JobKind
from core.domain.job_state import JobState
from core.domain.run import PipelineRunSpec, RunOrigin
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


def pipeline_job(context: Context, job: Any) -> Job | None:
    """A run of a pipeline of ours."""
    tags = {**(job.properties or {}), **(job.tags or {})}
    if words.NAME not in tags:
        return None
    version, origin = str(tags.get(words.AT, "")), str(tags.get(words.ORIGIN, ""))
    spec = PipelineRunSpec(
        words.pipeline_id(tags[words.NAME], int(version) if version.isdecimal() else 0),
        tags[words.NAME],
        int(version) if version.isdecimal() else 0,
        _parameters(context, job, tags),
        origin=RunOrigin(origin) if origin in tuple(RunOrigin) else RunOrigin.REST,
        schedule=str(tags.get(words.SCHEDULE, "")),
        retry_of=str(tags.get(words.RETRY_OF, "")),
    )
    state = state_of(job)
    return Job(
        id=str(job.name),
        kind=JobKind.PIPELINE,
        state=state,
        experiment_name=str(job.experiment_name or ""),
        compute=context.settings.azure_compute,
        spec=spec,
        created_at=created_at(job),
        attempt=int(state is not QUEUED),
        cancel_requested=cancel_requested(job),
    )


def _parameters(context: Context, job: Any, tags: Mapping[str, str]) -> Mapping[str, Any]:
    """Every parameter's value: as it was kept, else by the texts of the job's inputs."""
    kept: dict[str, Any] | None = found(words.VALUES, job.properties, dict[str, Any])
    if kept is not None:
        return kept
    spec = published(context).definition(tags[words.NAME], words.version_of(f"version-{tags.get(words.AT)}"))
    texts = {name: getattr(each, "_data", each) for name, each in (job.inputs or {}).items()}
    return {**spec.defaults, **words.values(spec, texts)} if spec else {}


READERS: Mapping[str, Callable[[Context, Any], Job | None]] = {"automl": training_job, "pipeline": pipeline_job}
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
