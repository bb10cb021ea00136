"""The trials of one search that have ended, best first; no question takes longer the more there are."""

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from core.domain.algorithms import ENSEMBLES
from core.domain.metrics import gain
from core.domain.training import TrialState
from core.ml.finished import FinishedTrial


@dataclass
class Leaderboard:
    """Grows by each trial that ends. A search asks it at every step and in between, so answers are kept ready."""

    metric: str
    problem: str
    """Trials of another problem (see `finished.fingerprint`) keep their numbers and do not compete."""
    trials: list[FinishedTrial] = field(default_factory=list)
    """All of them, in the order in which they ended."""
    singles: list[FinishedTrial] = field(default_factory=list)
    """Single models that were tried on this problem, however that ended."""
    ranked: list[FinishedTrial] = field(default_factory=list)
    """Those of them that succeeded, best first."""
    last_number: int = -1
    """The highest number that is taken."""
    shortest_s: float = float("inf")
    """How long the shortest of the ranked ones took."""

    def add_all(self, finished: Iterable[FinishedTrial]) -> None:
        for trial in finished:
            self.add(trial)

    def put(self, finished: FinishedTrial) -> None:
        """An ensemble has ended, or takes the place of what it was."""
        self.trials = [f for f in self.trials if f.trial.number != finished.trial.number]
        self.add(finished)

    def add(self, finished: FinishedTrial) -> None:
        """One more trial has ended."""
        self.trials.append(finished)
        self.last_number = max(self.last_number, finished.trial.number)
        if finished.problem != self.problem or finished.trial.algorithm in ENSEMBLES:
            return
        self.singles.append(finished)
        if finished.trial.state is TrialState.SUCCEEDED:
            insort(self.ranked, finished, key=lambda f: best_first(f, self.metric))
            self.shortest_s = min(self.shortest_s, finished.trial.duration_s)


def best_first(finished: FinishedTrial, metric: str) -> tuple[float, int]:
    """Sorts trials best first, the earlier one first among equals."""
    value = finished.trial.metrics.get(metric, float("nan"))
    return (float("inf") if np.isnan(value) else -gain(metric, value)), finished.trial.number
