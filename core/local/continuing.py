"""A training that goes on from the trials of an ended one; one trial that is to end."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

from core.domain.errors import Conflict
from core.domain.job import Job
from core.domain.training import TrainingSpec
from core.durable import make_folder, place, write_atomic
from core.local.paths import Paths
from core.ml.finished import read_finished

CANCELED = "Canceled"
"""What a trial says that was canceled by itself."""


def longer_spec(paths: Paths, job: Job, timeout_s: float) -> TrainingSpec:
    """The spec of a job that goes on from this one's trials, which do not count as its own.

    Raises Conflict for a job that is no training, and for one that has not ended.
    """
    if not isinstance(job.spec, TrainingSpec):
        raise Conflict(f"Job '{job.id}' is a {job.kind}, and only a training can be continued")
    if not job.state.final:
        raise Conflict(f"Job '{job.id}' is {job.state}", hint="Wait until it has ended, or cancel it first")
    before = sum(not finished.trial.members for finished in read_finished(paths.trials(job.id)))
    return replace(job.spec, timeout_s=timeout_s, max_trials=job.spec.max_trials + before)


def take_trials(paths: Paths, earlier: str, job_id: str) -> None:
    """Give a job that is not stored yet the finished trials of an earlier one. Raises OSError."""
    staged = paths.incoming / job_id
    try:
        make_folder(staged / paths.trials(job_id).name)
        for finished in read_finished(paths.trials(earlier)):
            # What a trial has left never changes, so both may have the same bytes; what explains it is made again.
            shutil.copytree(
                finished.folder,
                staged / paths.trials(job_id).name / finished.folder.name,
                copy_function=_link,
                ignore=shutil.ignore_patterns("explained"),
            )
        place(staged, paths.job(job_id))
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)


def ask_to_end(paths: Paths, job_id: str, number: int) -> None:
    """Ask the worker of a training to end one of its trials."""
    write_atomic(_wish(paths.trials(job_id), number), b"")


def why_given_up(trials: Path, number: int) -> str:
    """What the worker asks of each trial that runs, often."""
    return CANCELED if _wish(trials, number).exists() else ""


def _wish(trials: Path, number: int) -> Path:
    return trials / f"cancel-{number}"
