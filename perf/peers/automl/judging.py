"""How good probabilities are, by how much two engines differ, and who comes first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEAST = 1e-15
"""A probability below it counts as it: a log loss is finite."""
RESAMPLES, LEVEL = 1_000, 0.95
FIGURES = ("auc", "log_loss")
"""Methods of `Scored`."""


@dataclass(frozen=True)
class Interval:
    """A difference, with the bounds between which it lies with 95 % confidence."""

    value: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 where the bounds are on one side of 0, else 0."""
        return int(self.low > 0) - int(self.high < 0)


class Scored:
    """The test rows of one split with one engine's probabilities, sorted once for any number of weightings."""

    def __init__(self, labels: np.ndarray, probabilities: np.ndarray) -> None:
        self._labels = labels
        shares = np.clip(probabilities, LEAST, None)
        shares /= shares.sum(axis=1, keepdims=True)
        self._losses = -np.log(shares[np.arange(len(labels)), labels])
        classes = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
        self._sorted = [_sort(labels == number, probabilities[:, number]) for number in classes]

    def log_loss(self, weights: np.ndarray | None = None) -> float:
        """The mean over rows, each as often as its weight says."""
        return float(np.average(self._losses, weights=weights))

    def auc(self, weights: np.ndarray | None = None) -> float:
        """Of the second of two classes; of several, one against the rest, weighted by frequency. NaN: one class."""
        given = np.ones(len(self._labels)) if weights is None else weights.astype(float)
        areas, sizes = zip(*(_area(given[order], yes, starts) for order, yes, starts in self._sorted), strict=True)
        known = [(area, size) for area, size in zip(areas, sizes, strict=True) if size > 0]
        if not known:
            return float("nan")
        return float(np.average([area for area, _ in known], weights=[size for _, size in known]))


def _sort(yes: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The order by score, who is positive in it, and where each group of equal scores starts."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return order, yes[order], starts


def _area(weights: np.ndarray, yes: np.ndarray, starts: np.ndarray) -> tuple[float, float]:
    """The area under the curve, and the weight of the positives; NaN where there is one side only."""
    positive = np.add.reduceat(weights * yes, starts)
    negative = np.add.reduceat(weights * ~yes, starts)
    pairs = positive.sum() * negative.sum()
    if not pairs:
        return float("nan"), 0.0
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / pairs), float(positive.sum())


class Resampled:
    """AUC and log loss of every engine on the tested rows of one table, and on rows drawn from them again and again.

    `tested` has one entry a split for each engine, None where there is no result; `rows` are the table's rows that each
    split tests. A row that several splits test is drawn for all of them at once, and all engines get the same draws.
    """

    def __init__(
        self,
        tested: Mapping[str, Sequence[Scored | None]],
        rows: Sequence[np.ndarray],
        resamples: int = RESAMPLES,
        seed: int = 7,
    ) -> None:
        self._whole = {name: self._figures(runs, [None] * len(rows)) for name, runs in tested.items()}
        rng, count = np.random.default_rng(seed), 1 + max(int(numbers.max()) for numbers in rows)
        drawn: dict[str, list[np.ndarray]] = {name: [] for name in tested}
        for _ in range(resamples):
            weights = np.bincount(rng.integers(count, size=count), minlength=count)
            for name, runs in tested.items():
                drawn[name].append(self._figures(runs, [weights[numbers] for numbers in rows]))
        self._drawn = {name: np.stack(figures) for name, figures in drawn.items()}

    def difference(self, one: str, other: str, figure: str) -> Interval | None:
        """By how much `one` is above `other`, in the mean over the splits that both have; None where there is none.

        The bounds tell of the rows that happened to be tested, and not of the luck in training.
        """
        found = self.drawn(one, other, figure)
        return _interval(*found) if found else None

    def drawn(self, one: str, other: str, figure: str) -> tuple[float, np.ndarray] | None:
        """The difference, and the differences on rows drawn anew."""
        at = FIGURES.index(figure)
        if one not in self._whole or other not in self._whole:
            return None
        whole = self._whole[one][:, at] - self._whole[other][:, at]
        both = np.isfinite(whole)
        if not both.any():
            return None
        drawn = self._drawn[one][:, both, at] - self._drawn[other][:, both, at]
        return float(whole[both].mean()), drawn.mean(axis=1)

    @staticmethod
    def _figures(runs: Sequence[Scored | None], weights: Sequence[np.ndarray | None]) -> np.ndarray:
        """Splits x (AUC, log loss)."""
        return np.array(
            [
                [getattr(run, figure)(given) if run else np.nan for figure in FIGURES]
                for run, given in zip(runs, weights, strict=True)
            ]
        )


def mean_difference(tables: Sequence[Resampled], one: str, other: str, figure: str) -> Interval | None:
    """The difference in the mean over tables, each counting alike; None where one table has none."""
    found = [table.drawn(one, other, figure) for table in tables]
    known = [pair for pair in found if pair]
    if not known or len(known) < len(found):
        return None
    return _interval(float(np.mean([value for value, _ in known])), np.mean([drawn for _, drawn in known], axis=0))


def _interval(value: float, drawn: np.ndarray) -> Interval:
    low, high = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))


def mean_ranks(rounds: Sequence[Mapping[str, float | None]], *, higher_is_better: bool) -> dict[str, float]:
    """Each name's mean rank over rounds in which all of them take part; None, a run that failed, comes last.

    Equal values share the mean of their places.
    """
    if not rounds:
        return {}
    every = list(dict.fromkeys(name for values in rounds for name in values))
    whole = [values for values in rounds if all(name in values for name in every)]
    ranks = [_ranks(values, higher_is_better=higher_is_better) for values in whole]
    return {name: float(np.mean([rank[name] for rank in ranks])) for name in every} if ranks else {}


def _ranks(values: Mapping[str, float | None], *, higher_is_better: bool) -> dict[str, float]:
    cost = {
        name: float("inf") if value is None else -value if higher_is_better else value for name, value in values.items()
    }
    return {
        name: 1 + sum(c < own for c in cost.values()) + (sum(c == own for c in cost.values()) - 1) / 2
        for name, own in cost.items()
    }


def overrun_s(fit_s: float, budget_s: float) -> float:
    """By how much training went beyond its budget; below 0 where it ended early."""
    return fit_s - budget_s
