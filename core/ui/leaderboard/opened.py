"""The trial that is open."""

from dataclasses import dataclass

from core.domain.training import TrainingSpec, Trial
from core.ui.leaderboard import cached
from core.ui.leaderboard.board import Board


@dataclass(frozen=True, slots=True)
class Opened:
    """A trial of a training job."""

    board: Board
    trial: Trial

    @property
    def pick(self) -> cached.Pick:
        """By what the workspace knows it."""
        return cached.pick(self.board.job.id, self.trial)

    @property
    def key(self) -> str:
        """What its widgets' keys end with: each trial has its own."""
        return f"{self.board.job.id}.{self.trial.number}"

    @property
    def spec(self) -> TrainingSpec:
        """What the training was asked for."""
        spec = self.board.job.spec
        assert isinstance(spec, TrainingSpec)  # nothing else has trials
        return spec
