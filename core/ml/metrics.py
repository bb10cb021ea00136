"""Azure's scalar metrics: the 21 of a classification, from labels and probabilities, and those of a regression."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.domain.metrics import TaskKind
from core.ml.regression_metrics import REGRESSION_SCORERS
from core.ml.task import Labels, Target
from core.predict.members import Array

TINY = 1e-15
"""Probabilities are kept this far from 0 and 1 in the log loss, so that one sure mistake is not infinite."""


def evaluate(kind: TaskKind, target: Target, said: Array) -> dict[str, float]:
    """Every metric of the task that is defined on these rows, by Azure's name.

    `target` has labels, which index the columns of `said`, the probabilities; of a regression numbers, and `said` has
    one column.
    """
    if kind is TaskKind.REGRESSION:
        found = {name: score(name, target, said) for name in REGRESSION_SCORERS}
    else:
        rows = _Judged(target, said, RANKERS)
        found = {name: float(scorer(rows)) for name, scorer in SCORERS.items()}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def score(name: str, target: Target, said: Array) -> float:
    """One metric by Azure's name; NaN where the rows do not define it (one class only)."""
    if name in REGRESSION_SCORERS:
        return float(REGRESSION_SCORERS[name](target, said[:, 0]))
    return float(SCORERS[name](_Judged(target, said)))


def auc(positive: npt.NDArray[np.bool_], values: Array) -> float:
    """Area under the ROC curve: the chance that a positive has a higher value than a negative, ties counting half."""
    return _auc(_Ranked.of(values[positive], values[~positive]))


def average_precision(positive: npt.NDArray[np.bool_], values: Array) -> float:
    """Precision averaged over the recalls at which it is reached; NaN without a positive."""
    return _average_precision(_Ranked.of(values[positive], values[~positive]))


@dataclass(frozen=True, slots=True)
class _Ranked:
    """The values of positives and of negatives, each in their order: to sort is most of the work of a ranking."""

    positives: Array
    negatives: Array
    lower: npt.NDArray[np.intp]
    """How many negatives have a lower value, for each positive."""

    @classmethod
    def of(cls, positives: Array, negatives: Array) -> "_Ranked":
        ordered, others = np.sort(positives), np.sort(negatives)
        return cls(ordered, others, np.searchsorted(others, ordered, "left"))


def _auc(ranked: _Ranked) -> float:
    pairs = len(ranked.positives) * len(ranked.negatives)
    if not pairs:
        return float("nan")
    not_higher = np.searchsorted(ranked.negatives, ranked.positives, "right")
    return float((int(ranked.lower.sum()) + int(not_higher.sum())) / (2 * pairs))


def _average_precision(ranked: _Ranked) -> float:
    values = ranked.positives
    if not len(values):
        return float("nan")
    first = np.append(True, values[1:] != values[:-1])
    places = np.maximum.accumulate(np.where(first, np.arange(len(values)), 0))
    hits, misses = len(values) - places, len(ranked.negatives) - ranked.lower
    return float((hits / (hits + misses)).mean())


Ranker = Callable[[_Ranked], float]
RANKERS: tuple[Ranker, ...] = (_auc, _average_precision)
MICRO = -1
"""In the place of a class: each class of each row is a case of its own."""


class _Judged:
    """Labels and what was said of them; what several metrics ask for is found once."""

    def __init__(self, labels: Labels, said: Array, rankers: tuple[Ranker, ...] = ()) -> None:
        """`rankers` are those that will be asked for, so that the values are sorted once for them all."""
        self.labels, self.said = labels, said
        self._rankers, self._ranked = rankers, dict[tuple[Ranker, int], float]()

    def ranking(self, by: Ranker, which: int) -> float:
        """How well one class is told from the others."""
        if (by, which) not in self._ranked:
            ranked = _Ranked.of(*self._cases(which))
            self._ranked |= {(ranker, which): ranker(ranked) for ranker in {by, *self._rankers}}
        return self._ranked[by, which]

    def _cases(self, which: int) -> tuple[Array, Array]:
        """What was said of a class where it is right, and where it is not."""
        if which != MICRO:
            positive, values = self.labels == which, self.said[:, which]
        else:
            positive, values = self.labels[:, None] == np.arange(self.said.shape[1]), self.said
        return values[positive], values[~positive]

    @cached_property
    def present(self) -> tuple[npt.NDArray[np.intp], Array]:
        """The classes that occur, and their shares."""
        counts = np.bincount(self.labels, minlength=self.said.shape[1])
        present = np.flatnonzero(counts)
        return present, counts[present] / counts.sum()

    @cached_property
    def confusion(self) -> Array:
        """Rows: true class; columns: the most probable one."""
        size = self.said.shape[1]
        cells = self.labels * size + self.said.argmax(axis=1)
        return np.bincount(cells, minlength=size * size).reshape(size, size).astype(np.float64)


Scorer = Callable[[_Judged], float]


def _ranking(by: Ranker, average: str) -> Scorer:
    def scorer(rows: _Judged) -> float:
        if average == "micro":
            return rows.ranking(by, MICRO)
        if by is _auc and rows.said.shape[1] == 2:
            return rows.ranking(by, 1)  # both classes have the same
        present, shares = rows.present
        each = np.array([rows.ranking(by, int(c)) for c in present])
        return float(each @ shares if average == "weighted" else each.mean())

    return scorer


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _per_class(confusion: Array) -> dict[str, Array]:
    hits, true, said = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    return {
        "precision_score": _ratio(hits, said),
        "recall_score": _ratio(hits, true),
        "f1_score": _ratio(2 * hits, true + said),
    }


def _averaged(name: str, average: str) -> Scorer:
    def scorer(rows: _Judged) -> float:
        confusion = rows.confusion
        if average == "micro":  # with one label a row, all three are the accuracy
            return float(np.trace(confusion) / confusion.sum())
        present, shares = rows.present
        values = _per_class(confusion)[name][present]
        return float(values @ shares if average == "weighted" else values.mean())

    return scorer


def _accuracy(rows: _Judged) -> float:
    return float(np.trace(rows.confusion) / rows.confusion.sum())


def _balanced_accuracy(rows: _Judged) -> float:
    return SCORERS["recall_score_macro"](rows)


def _norm_macro_recall(rows: _Judged) -> float:
    by_chance = 1 / rows.said.shape[1]
    return float((_balanced_accuracy(rows) - by_chance) / (1 - by_chance))


def _weighted_accuracy(rows: _Judged) -> float:
    counts = rows.confusion.sum(axis=1)
    return float((counts @ np.diag(rows.confusion)) / (counts @ counts))


def _matthews(rows: _Judged) -> float:
    confusion = rows.confusion
    true, said, total = confusion.sum(axis=1), confusion.sum(axis=0), confusion.sum()
    spread = (total**2 - (said**2).sum()) * (total**2 - (true**2).sum())
    return float((np.trace(confusion) * total - (true * said).sum()) / np.sqrt(spread)) if spread > 0 else 0.0


def _log_loss(rows: _Judged) -> float:
    own = rows.said[np.arange(len(rows.labels)), rows.labels] / rows.said.sum(axis=1)
    return float(-np.log(np.clip(own, TINY, 1 - TINY)).mean())


_AVERAGES = ("macro", "micro", "weighted")

SCORERS: Mapping[str, Scorer] = {
    **{f"AUC_{a}": _ranking(_auc, a) for a in _AVERAGES},
    **{f"average_precision_score_{a}": _ranking(_average_precision, a) for a in _AVERAGES},
    **{f"{n}_{a}": _averaged(n, a) for n in ("f1_score", "precision_score", "recall_score") for a in _AVERAGES},
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "log_loss": _log_loss,
    "matthews_correlation": _matthews,
    "norm_macro_recall": _norm_macro_recall,
    "weighted_accuracy": _weighted_accuracy,
}
"""How each metric of a classification in `core.domain.metrics` is computed."""
