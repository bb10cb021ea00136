"""Columns that know the answer too well, told by the data; never excluded, always said."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.domain.metrics import TaskKind
from core.ml.metrics import auc
from core.ml.task import Labels, LearningProblem, Target
from core.predict.members import Array

ANSWER_AUC = 0.98
NUMBER_AUC = 0.997
"""A single column above this nearly is the answer."""
STRONG_AUC = 0.80
DROP_AUC = 0.05
"""A column that alone reaches `STRONG_AUC`, and without which the others lose `DROP_AUC`, deserves a question.
`duration` of Bank Marketing has 0.82 and 0.07, `page_values` of Online Shoppers 0.86 and 0.12; no column of Adult,
Telco Churn or German Credit reaches both."""
BINS = 32
SHARES = np.linspace(0, 1, BINS + 1)[1:-1]
LEVELS_MAX = 256
CLASSES_LOOKED_AT = 3

BANK_CALLS = frozenset({"contact", "duration", "campaign", "pdays", "previous", "poutcome"})
"""The schema of UCI Bank Marketing (Moro, Cortez, Rita 2014) in all its published cuts."""

KNOWN: Mapping[tuple[frozenset[str], str], str] = {
    (BANK_CALLS, "duration"): (
        "'duration' leaks: it is known only after the call has ended, so a model that uses it cannot choose whom to "
        "call; exclude it for one that can"
    ),
}
"""(Columns that identify a public table, the column) -> what its authors say of the column. Only the wording: whether
there is something to say is decided by the data."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What one column tells alone (`alone`: AUC, 0.5 is chance) and what all together lose without it (`drop`)."""

    alone: float
    drop: float


def leak_note(problem: LearningProblem, matrix: Array, target: Target) -> str:
    """One sentence on the column that gives the answer away or carries most of it; empty where there is none."""
    if problem.kind is TaskKind.REGRESSION:
        return _number_note(problem, matrix, target)
    labels: Labels = target
    best, weight = heaviest(matrix, labels, problem.classes)
    name = problem.codes[best].name
    if weight.alone >= ANSWER_AUC or (weight.alone >= STRONG_AUC and weight.drop >= DROP_AUC):
        return _sentence(problem, name, weight)
    return ""


def _number_note(problem: LearningProblem, matrix: Array, target: Target) -> str:
    """The same for a number: whether a column tells its upper half from its lower one without an error."""
    best, weight = heaviest(matrix, (target > np.median(target)).astype(np.int64), 2)
    if weight.alone < NUMBER_AUC:
        return ""
    name, goal = problem.codes[best].name, problem.signature.target
    return (
        f"'{name}' may leak: alone it tells high values of '{goal}' from low ones nearly without an error; make sure "
        f"it is known before '{goal}' is, or exclude it"
    )


def _sentence(problem: LearningProblem, name: str, weight: Weight) -> str:
    columns = {c.name for c in problem.signature.columns}
    for (schema, column), sentence in KNOWN.items():
        if schema <= columns and column == name:
            return sentence
    target = problem.signature.target
    what = "nearly tells" if weight.alone >= ANSWER_AUC else "predicts"
    return (
        f"'{name}' may leak: alone it {what} '{target}' (AUC {weight.alone:.2f}) and the others lose {weight.drop:.2f} "
        f"without it; make sure it is known before '{target}' is, or exclude it"
    )


def heaviest(matrix: Array, labels: Labels, classes: int) -> tuple[int, Weight]:
    """The encoded column that tells most alone, and its weight in a naive Bayes model of all columns.

    Averaged over the most frequent classes.

    The model is learned on every other row and judged on the rest, both ways, so that chance stays at 0.5.
    """
    counts = np.bincount(labels, minlength=classes)
    looked_at = np.argsort(-counts, kind="stable")[:CLASSES_LOOKED_AT] if classes > 2 else np.array([1])
    bins = [_bins(column) for column in matrix.T]
    shares = counts[looked_at] / max(1, counts[looked_at].sum())
    told = [_alone(bins, labels == c) for c in looked_at]
    best = int(np.sum([share * alone for share, (alone, _) in zip(shares, told, strict=True)], axis=0).argmax())
    # Only of this one: to leave out each in turn would be as much work again.
    drops = [_drop(labels == c, total, bins[best]) for c, (_, total) in zip(looked_at, told, strict=True)]
    return best, Weight(float(shares @ [alone[best] for alone, _ in told]), float(shares @ drops))


def _alone(bins: list[npt.NDArray[np.int64]], positive: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """How well each column alone tells one class from the rest, and the evidence of all columns together."""
    alone, total = np.empty(len(bins)), np.zeros(len(positive))
    for at, its in enumerate(bins):
        own = _evidence(its, positive)
        total += own
        alone[at] = _auc(positive, own)
    return alone, total


def _drop(positive: npt.NDArray[np.bool_], total: Array, bins: npt.NDArray[np.int64]) -> float:
    """What all columns lose without one, for one class against the rest."""
    return _auc(positive, total) - _auc(positive, total - _evidence(bins, positive))


def _auc(positive: npt.NDArray[np.bool_], values: Array) -> float:
    # Sums that differ in the last bits only are ties.
    value = auc(positive, np.round(values, 9))
    return value if np.isfinite(value) else 0.5


def _evidence(bins: npt.NDArray[np.int64], positive: npt.NDArray[np.bool_]) -> Array:
    """The log-odds that each row's bin adds, learned on the other half of the rows."""
    half, size = np.arange(len(bins)) % 2, int(bins.max()) + 1
    evidence = np.empty(len(bins))
    for own in (0, 1):
        other = half != own
        hits = np.bincount(bins[other], positive[other], minlength=size) + 0.5
        misses = np.bincount(bins[other], ~positive[other], minlength=size) + 0.5
        odds = np.log(hits / misses) - np.log(hits.sum() / misses.sum())
        evidence[~other] = odds[bins[~other]]
    return evidence


def _bins(column: Array) -> npt.NDArray[np.int64]:
    """Quantile bins of the column, missing cells in one of their own (the last); a bin a value where these are few."""
    missing = np.isnan(column)
    known = np.sort(column[~missing])
    edges = known[np.append(True, known[1:] != known[:-1])] if len(known) else known
    if len(edges) > LEVELS_MAX:
        edges = np.unique(np.quantile(known, SHARES))
    found = np.searchsorted(edges, column)
    return np.where(missing, found.max(initial=0) + 1, found).astype(np.int64)
