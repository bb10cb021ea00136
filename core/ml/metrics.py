"""Azure's scalar metrics: the 21 of a classification, from labels and probabilities, and those of a regression."""

from collections.abc import Callable, Mapping

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
    names = REGRESSION_SCORERS if kind is TaskKind.REGRESSION else SCORERS
    return {name: value for name in names if np.isfinite(value := score(name, target, said))}


def score(name: str, target: Target, said: Array) -> float:
    """One metric by Azure's name; NaN where the rows do not define it (one class only)."""
    if name in REGRESSION_SCORERS:
        return float(REGRESSION_SCORERS[name](target, said[:, 0]))
    return float(SCORERS[name](target, said))


def auc(positive: npt.NDArray[np.bool_], values: Array) -> float:
    """Area under the ROC curve: the chance that a positive has a higher value than a negative, ties counting half."""
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return float("nan")
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    first = np.append(0, last[:-1] + 1)
    ranks = np.repeat((first + last) / 2 + 1, last - first + 1)
    above = ranks[positive[order]].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def average_precision(positive: npt.NDArray[np.bool_], values: Array) -> float:
    """Precision averaged over the recalls at which it is reached; NaN without a positive."""
    if not positive.any():
        return float("nan")
    order = np.argsort(-values, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(values[order]) != 0, True))
    hits = np.cumsum(positive[order])[ends]
    gained = np.diff(hits, prepend=0)
    return float((hits / (ends + 1) * gained).sum() / hits[-1])


Ranker = Callable[[npt.NDArray[np.bool_], Array], float]
Scorer = Callable[[Labels, Array], float]


def _present(labels: Labels, probabilities: Array) -> tuple[npt.NDArray[np.intp], Array]:
    """The classes that occur, and their shares."""
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    present = np.flatnonzero(counts)
    return present, counts[present] / counts.sum()


def _ranking(by: Ranker, average: str) -> Scorer:
    def scorer(labels: Labels, probabilities: Array) -> float:
        if average == "micro":
            positive = labels[:, None] == np.arange(probabilities.shape[1])
            return by(positive.ravel(), probabilities.ravel())
        present, shares = _present(labels, probabilities)
        if by is auc and probabilities.shape[1] == 2:
            return auc(labels == 1, probabilities[:, 1])  # both classes have the same
        each = np.array([by(labels == c, probabilities[:, c]) for c in present])
        return float(each @ shares if average == "weighted" else each.mean())

    return scorer


def _confusion(labels: Labels, probabilities: Array) -> Array:
    """Rows: true class; columns: the most probable one."""
    size = probabilities.shape[1]
    cells = labels * size + probabilities.argmax(axis=1)
    return np.bincount(cells, minlength=size * size).reshape(size, size).astype(np.float64)


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
    def scorer(labels: Labels, probabilities: Array) -> float:
        confusion = _confusion(labels, probabilities)
        if average == "micro":  # with one label a row, all three are the accuracy
            return float(np.trace(confusion) / confusion.sum())
        present, shares = _present(labels, probabilities)
        values = _per_class(confusion)[name][present]
        return float(values @ shares if average == "weighted" else values.mean())

    return scorer


def _accuracy(labels: Labels, probabilities: Array) -> float:
    return float((probabilities.argmax(axis=1) == labels).mean())


def _balanced_accuracy(labels: Labels, probabilities: Array) -> float:
    return SCORERS["recall_score_macro"](labels, probabilities)


def _norm_macro_recall(labels: Labels, probabilities: Array) -> float:
    by_chance = 1 / probabilities.shape[1]
    return float((_balanced_accuracy(labels, probabilities) - by_chance) / (1 - by_chance))


def _weighted_accuracy(labels: Labels, probabilities: Array) -> float:
    counts = np.bincount(labels, minlength=probabilities.shape[1]).astype(np.float64)
    hits = np.diag(_confusion(labels, probabilities))
    return float((counts @ hits) / (counts @ counts))


def _matthews(labels: Labels, probabilities: Array) -> float:
    confusion = _confusion(labels, probabilities)
    true, said, rows = confusion.sum(axis=1), confusion.sum(axis=0), confusion.sum()
    spread = (rows**2 - (said**2).sum()) * (rows**2 - (true**2).sum())
    return float((np.trace(confusion) * rows - (true * said).sum()) / np.sqrt(spread)) if spread > 0 else 0.0


def _log_loss(labels: Labels, probabilities: Array) -> float:
    own = probabilities[np.arange(len(labels)), labels] / probabilities.sum(axis=1)
    return float(-np.log(np.clip(own, TINY, 1 - TINY)).mean())


_AVERAGES = ("macro", "micro", "weighted")

SCORERS: Mapping[str, Scorer] = {
    **{f"AUC_{a}": _ranking(auc, a) for a in _AVERAGES},
    **{f"average_precision_score_{a}": _ranking(average_precision, a) for a in _AVERAGES},
    **{f"{n}_{a}": _averaged(n, a) for n in ("f1_score", "precision_score", "recall_score") for a in _AVERAGES},
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "log_loss": _log_loss,
    "matthews_correlation": _matthews,
    "norm_macro_recall": _norm_macro_recall,
    "weighted_accuracy": _weighted_accuracy,
}
"""How each metric of a classification in `core.domain.metrics` is computed."""
