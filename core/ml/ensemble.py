"""Soft voting: which trials, with which weights, make the best out-of-fold vote."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.domain.metrics import gain
from core.ml.finished import FinishedTrial
from core.ml.metrics import score
from core.ml.task import Target
from core.predict.members import Array

CANDIDATES_MAX = 12
PICKS_MAX = 25
"""A weight is a number of picks over their sum; more picks than this only follow the noise of the folds."""
NOISE = 1e-9
"""Adding the same trial again changes sums in their last bits only."""
MEMBERS_MAX = 5
"""Every member costs the server time at each request."""


@dataclass(frozen=True, slots=True)
class Vote:
    """Trials by number with weights that sum to 1, and their joint out-of-fold probabilities."""

    members: tuple[tuple[int, float], ...]
    out_of_fold: Array


def vote(
    finished: Sequence[FinishedTrial], labels: Target, metric: str, out_of_time: Callable[[], bool]
) -> Vote | None:
    """The greedy vote (Caruana et al. 2004): again and again the trial whose addition is best, with replacement.

    A weak trial can help with a small weight only, so the best is picked again until a second one improves on it; what
    is given is the best vote on that way. None where that is a single trial.
    """
    ranked = sorted(finished, key=lambda f: best_first(f, metric))[:CANDIDATES_MAX]
    candidates = {f.trial.number: f.oof() for f in ranked}
    best, total, picks, kept = -np.inf, np.zeros((1, 1)), list[int](), list[int]()
    while len(candidates) > 1 and len(picks) < PICKS_MAX and not out_of_time():
        open_to = set(picks) if len(set(picks)) == MEMBERS_MAX else set(candidates)
        gains = {n: judged(metric, labels, (total + candidates[n]) / (len(picks) + 1)) for n in sorted(open_to)}
        number = max(gains, key=gains.__getitem__)
        picks.append(number)
        total = total + candidates[number]
        if gains[number] > best + NOISE:
            best, kept = gains[number], list(picks)
    if len(set(kept)) < 2:
        return None
    members = tuple((n, kept.count(n) / len(kept)) for n in sorted(set(kept)))
    return Vote(members, np.sum([weight * candidates[n] for n, weight in members], axis=0))


def judged(metric: str, labels: Target, probabilities: Array) -> float:
    """The metric with the sign that makes more better; one that these rows do not define is the worst."""
    value = score(metric, labels, probabilities)
    return -np.inf if np.isnan(value) else gain(metric, value)


def best_first(finished: FinishedTrial, metric: str) -> tuple[float, int]:
    """Sorts trials best first, the earlier one first among equals."""
    value = finished.trial.metrics.get(metric, float("nan"))
    return (float("inf") if np.isnan(value) else -gain(metric, value)), finished.trial.number
