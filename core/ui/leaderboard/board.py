"""A training job with its trials at one moment, and which job to show."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.data import DataAsset
from core.domain.job import Job
from core.domain.training import Trial, TrialState
from core.ui.kit import jobs, words
from core.ui.shell import cached, choices
from core.ui.shell.live import FAST_S
from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Board:
    """A training job with its trials, best first, at one moment."""

    workspace: Workspace
    job: Job
    trials: tuple[Trial, ...]
    models: tuple[str, ...]
    """The models that were registered from it, as `name, version 3`."""
    data: DataAsset | None
    now: float

    @property
    def scored(self) -> tuple[Trial, ...]:
        return tuple(t for t in self.trials if t.metrics)

    def took_s(self, trial: Trial) -> float:
        """The seconds that a trial took, or has taken so far."""
        return self.now - trial.started_at if trial.state is TrialState.RUNNING else trial.duration_s


def choose(listed: Sequence[Job]) -> Job:
    """The training job that the visitor (or the address) chooses, the newest unless told."""
    now = time.time()
    labels = {
        job.id: f"{jobs.about(job)} · experiment {job.experiment_name} · {words.moment(job.created_at, now)}"
        for job in listed
    }
    picked = choices.choose("Training job", labels, key="job")
    return next(job for job in listed if job.id == picked)


def look(workspace: Workspace, job_id: str) -> Board:
    """The job as it is now."""
    job = workspace.jobs.get(job_id)
    data = jobs.data_of(job)
    models = workspace.models.list() if workspace.can("models.list") else ()
    return Board(
        workspace=workspace,
        job=job,
        trials=workspace.jobs.trials(job_id) if workspace.can("jobs.trials") else (),
        models=tuple(f"{m.name}, version {m.version}" for m in models if m.job_id == job_id),
        data=None if data is None else cached.asset(data),
        now=time.time(),
    )


def pace(board: Board) -> float | None:
    """Often until the job has ended, then never."""
    return None if board.job.state.final else FAST_S
