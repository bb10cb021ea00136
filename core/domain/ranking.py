"""Trials in the order of a leaderboard, and how far a score differs from fold to fold."""

from collections.abc import Sequence
from math import fsum, sqrt

from core.domain.metrics import gain
from core.domain.trial import Trial


def standing(trial: Trial, metric: str) -> float:
    """A number that is higher for a better trial; the lowest of all for one without this metric."""
    if metric not in trial.metrics:
        return float("-inf")
    return gain(metric, trial.metrics[metric])


def ranked(trials: Sequence[Trial], metric: str) -> tuple[Trial, ...]:
    """Best first; trials without a score last, in the order of their numbers."""
    return tuple(sorted(trials, key=lambda t: (-standing(t, metric), t.number)))


def best(trials: Sequence[Trial], metric: str) -> Trial | None:
    """The trial with the best score, None while there is no score."""
    scored = [t for t in trials if metric in t.metrics]
    return max(scored, key=lambda t: standing(t, metric), default=None)


def spread(trial: Trial) -> float | None:
    """The standard deviation of the primary metric over the folds; None of fewer than two."""
    scores = trial.fold_scores
    if len(scores) < 2:
        return None
    # Not `statistics.stdev`: it counts in fractions, which took a third of a look at 500 trials.
    mean = fsum(scores) / len(scores)
    return sqrt(fsum((score - mean) ** 2 for score in scores) / (len(scores) - 1))


def frontier(trials: Sequence[Trial], metric: str) -> tuple[Trial, ...]:
    """The trials that no other beats in both quality and speed, the fastest first.

    Trials without the metric or a measured time have no part in it; of equals the earlier one stays.
    """
    measured = [t for t in trials if metric in t.metrics and t.predict_ms > 0]
    kept: list[Trial] = []
    for trial in sorted(measured, key=lambda t: (t.predict_ms, -standing(t, metric), t.number)):
        if not kept or standing(trial, metric) > standing(kept[-1], metric):
            kept.append(trial)
    return tuple(kept)
