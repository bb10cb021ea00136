"""A training job with its trials at one moment, and which job to show."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.data import DataAsset
from core.domain.errors import JobNotFound
from core.domain.job import Job, JobKind
from core.domain.model import Model
from core.domain.ranking import ranked
from core.domain.training import TrainingResult, Trial, TrialState
from core.ui.kit import jobs, words
from core.ui.shell import address, cached, choices
from core.workspace import Workspace

LIVE_S, CHARTS_S = 0.5, 2.0
"""Seconds between looks at a training that goes on, and between looks for its charts."""


@dataclass(frozen=True, slots=True)
class Board:
    """A training job with its trials, by number, at one moment."""

    workspace: Workspace
    job: Job
    trials: tuple[Trial, ...]
    models: tuple[Model, ...]
    """The models that were registered from it."""
    data: DataAsset | None
    now: float

    @property
    def scored(self) -> tuple[Trial, ...]:
        return tuple(t for t in self.trials if t.metrics)

    @property
    def best(self) -> Trial | None:
        """The best by the metric that the job optimizes: what it has left, or so far."""
        return jobs.leading(self.job, self.trials)

    @property
    def winner(self) -> int | None:
        """The number of the trial that an ended training has chosen."""
        return self.best.number if self.best and self.job.state.final else None

    @property
    def expected(self) -> Mapping[str, float]:
        """The best trial's metrics on rows that decided nothing of it, where the job has left them; else its own."""
        found = self.job.result
        if isinstance(found, TrainingResult) and found.best.metrics:
            return found.best.metrics
        return self.best.metrics if self.best else {}

    def ranked(self, metric: str) -> tuple[Trial, ...]:
        """Its trials, best first by a metric."""
        return ranked(self.trials, metric)

    def trial(self, number: str) -> Trial | None:
        """The trial of that number, as an address names it."""
        return next((t for t in self.trials if str(t.number) == number), None)

    def took_s(self, trial: Trial) -> float:
        """The seconds that a trial took, or has taken so far."""
        return self.now - trial.started_at if trial.state is TrialState.RUNNING else trial.duration_s

    def registered(self, trial: Trial) -> Model | None:
        """The newest model that was registered from a trial."""
        return next((m for m in self.models if m.trial == trial.number), None)


def choose(workspace: Workspace, listed: Sequence[Job]) -> Job:
    """The training job that the visitor (or the address) chooses, the newest unless told."""
    now = time.time()
    listed = (*listed, *_older(workspace, address.read("job"), listed))
    labels = {
        job.id: f"{jobs.about(job)} · experiment {job.experiment_name} · {words.moment(job.created_at, now)}"
        for job in listed
    }
    picked = choices.choose("Training job", labels, key="job")
    return next(job for job in listed if job.id == picked)


def _older(workspace: Workspace, named: str, listed: Sequence[Job]) -> tuple[Job, ...]:
    """The training that the address names, where it is older than those that are listed."""
    if not named or any(job.id == named for job in listed):
        return ()
    try:
        job = workspace.jobs.get(named)
    except JobNotFound:
        return ()
    return (job,) if job.kind is JobKind.AUTOML else ()


def look(workspace: Workspace, job_id: str) -> Board:
    """The job as it is now."""
    job = workspace.jobs.get(job_id)
    data = jobs.data_of(job)
    return Board(
        workspace=workspace,
        job=job,
        trials=workspace.jobs.trials(job_id) if workspace.can("jobs.trials") else (),
        models=workspace.models.list(job_id=job_id) if workspace.can("models.list") else (),
        data=None if data is None else cached.asset(data),
        now=time.time(),
    )


def pace(board: Board) -> float | None:
    """So often until the job has ended that a trial stands there within a second of its end, then never."""
    return None if board.job.state.final else LIVE_S


def pace_of_charts(board: Board) -> float | None:
    """Until the job has ended, less often than its table."""
    return None if board.job.state.final else CHARTS_S


class Looking:
    """Looks at a job, and keeps what it saw last for what is drawn beside the live part."""

    def __init__(self, workspace: Workspace, job_id: str) -> None:
        self._workspace, self._job_id = workspace, job_id
        self._last: Board | None = None

    def look(self) -> Board:
        """The job as it is now."""
        self._last = look(self._workspace, self._job_id)
        return self._last

    def again(self) -> Board:
        """The job as it was a moment ago, or as it is now."""
        fresh = self._last is not None and time.time() - self._last.now < LIVE_S
        return self.last if fresh else self.look()

    @property
    def last(self) -> Board:
        """What was seen last; looked at now where nothing was."""
        return self._last or self.look()
