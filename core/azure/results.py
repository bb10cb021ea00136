"""What trainings have left. A final job changes no more: what is known of it is kept on this machine."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from core.azure.context import Context
from core.azure.job_reading import with_details
from core.azure.leaderboard import leaderboard
from core.azure.runs import details, many
from core.domain.errors import JobNotFound, SlipwayError
from core.domain.job import Job
from core.domain.job_state import JobState
from core.domain.plain import plain
from core.domain.training import BestTrial, TrainingResult, TrainingSpec


class Known(msgspec.Struct, frozen=True):
    """What is to be known of a final job beyond its document."""

    started_at: float | None
    ended_at: float | None
    message: str
    hint: str
    result: TrainingResult | None


def completed(context: Context, job: Job) -> Job:
    """The job with its times, its error and its best trial's metrics; asked for once where it is final."""
    if job.state is JobState.QUEUED:
        return job
    if job.state.final and (known := remembered(context, job)) is not None:
        return known
    try:
        job = with_details(job, details(context, job.id))
    except JobNotFound:
        return job
    if job.state is JobState.SUCCEEDED and isinstance(job.spec, TrainingSpec):
        job = replace(job, result=_result(context, job, job.spec))
    if job.state.final and (job.state is not JobState.SUCCEEDED or job.result is not None):
        _keep(context, job)
    return job


def timed(context: Context, jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Jobs with their times and errors, found for all of them together; without where run history says nothing."""
    unknown = [job.id for job in jobs if job.state is not JobState.QUEUED and not _path(context, job.id).exists()]
    try:
        known = many(context, unknown) if unknown else {}
    except SlipwayError:
        known = {}
    told = tuple(with_details(job, known[job.id]) if job.id in known else job for job in jobs)
    for job in told:
        if job.id in known and job.state in (JobState.FAILED, JobState.CANCELED):
            _keep(context, job)
    return told


def remembered(context: Context, job: Job) -> Job | None:
    """A final job with what is kept of it here; None where nothing is."""
    path = _path(context, job.id)
    if not path.exists():
        return None
    try:
        known = msgspec.json.decode(path.read_bytes(), type=Known)
    except msgspec.DecodeError:
        return None
    return replace(
        job,
        started_at=known.started_at,
        ended_at=known.ended_at,
        message=known.message,
        hint=known.hint,
        result=known.result or job.result,
    )


def remember_model(context: Context, job: Job) -> Job:
    """Keep that a job has registered its model."""
    _keep(context, job)
    return job


def _result(context: Context, job: Job, spec: TrainingSpec) -> TrainingResult | None:
    """The best trial with all its metrics, and how many there are."""
    board = leaderboard(context, job.id, spec.primary_metric)
    best = board.of(board.best) if board.best is not None else None
    if best is None:
        return job.result if isinstance(job.result, TrainingResult) else None
    told = job.result if isinstance(job.result, TrainingResult) else TrainingResult(BestTrial(best.number, ""))
    return replace(
        told,
        best=BestTrial(best.number, best.algorithm, best.metrics),
        members=tuple((number, 1.0 / len(best.members)) for number in best.members),
        trials=len(board.trials),
        seconds=max((job.ended_at or 0.0) - (job.started_at or job.ended_at or 0.0), 0.0),
    )


def _path(context: Context, job_id: str) -> Path:
    return context.folder / "jobs" / f"{job_id}.json"


def _keep(context: Context, job: Job) -> None:
    path = _path(context, job.id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = path.with_name(f".{path.name}.{os.getpid()}")
    held = (job.started_at, job.ended_at, job.message, job.hint, plain(job.result))
    names = ("started_at", "ended_at", "message", "hint", "result")
    made.write_bytes(msgspec.json.encode(dict(zip(names, held, strict=True))))
    made.replace(path)
