"""How good answers were whose outcomes are known: metrics with 95 % confidence intervals.

Rows are taken as independent. Which interval: AUC of two classes by DeLong (1988); shares (accuracy, calibration) by
Wilson's score; means (log loss, cost) by the normal approximation of the mean; all others by bootstrap.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.domain.metrics import TaskKind
from core.domain.outcomes import CalibrationBin, Measured
from core.ml.comparison import placements
from core.ml.metrics import TINY, auc, score
from core.ml.task import Labels
from core.predict.arrays import Array

ROWS_NEEDED = 50
Z = 1.959963984540054
"""Of a normal distribution, 95 % lie so many deviations around the mean."""
BINS = 10
BIN_ROWS_MIN = 20
BLOCKS_MAX, RESAMPLES = 1_000, 1_000
RESAMPLED_MAX, RESAMPLED_TIMES = 5_000, 200
SEED = 11
HUGE = 1e300


@dataclass(frozen=True, slots=True)
class Answered:
    """Rows with what was said of them and what came: of classes, their places; of a regression, numbers."""

    kind: TaskKind
    actual: npt.NDArray[np.generic]
    said: Array
    """Rows x classes; of a regression, rows x 1."""
    decided: npt.NDArray[np.int64]
    """The place of the class that was answered; of a regression, zeros."""


def metrics_of(rows: Answered) -> Mapping[str, Measured]:
    """By Azure's names."""
    if rows.kind is TaskKind.REGRESSION:
        return _of_numbers(rows.actual.astype(np.float64), rows.said[:, 0])
    labels = rows.actual.astype(np.int64)
    found = {
        "AUC_weighted": _auc(labels, rows.said),
        "accuracy": wilson(int((rows.said.argmax(axis=1) == labels).sum()), len(labels)),
        "log_loss": mean_of(_losses(labels, rows.said)),
    }
    return {name: value for name, value in found.items() if value is not None}


def calibration_of(rows: Answered) -> tuple[CalibrationBin, ...]:
    """Bins of about as many rows each, by the probability of the positive class, or of the most probable of several."""
    if rows.kind is TaskKind.REGRESSION:
        return ()
    labels = rows.actual.astype(np.int64)
    if rows.kind is TaskKind.BINARY:
        predicted, came = rows.said[:, 1], labels == 1
    else:
        predicted, came = rows.said.max(axis=1), rows.said.argmax(axis=1) == labels
    order = np.argsort(predicted, kind="stable")
    bins = max(1, min(BINS, len(order) // BIN_ROWS_MIN))
    found = []
    for part in np.array_split(order, bins):
        measured = wilson(int(came[part].sum()), len(part))
        found.append(CalibrationBin(float(predicted[part].mean()), measured, len(part)))
    return tuple(found)


def cost_of(rows: Answered, costs: Array) -> Measured:
    """A decision's mean cost; `costs` is actual x decided class."""
    return mean_of(costs[rows.actual.astype(np.int64), rows.decided])


def wilson(hits: int, rows: int) -> Measured:
    """A share with Wilson's score interval (1927), which is right also near 0 and 1."""
    share = hits / rows
    middle = (share + Z**2 / (2 * rows)) / (1 + Z**2 / rows)
    reach = Z / (1 + Z**2 / rows) * np.sqrt(share * (1 - share) / rows + Z**2 / (4 * rows**2))
    return Measured(share, float(max(0.0, min(share, middle - reach))), float(min(1.0, max(share, middle + reach))))


def mean_of(values: Array) -> Measured:
    """A mean with the interval of the normal approximation."""
    mean, reach = float(values.mean()), Z * float(values.std(ddof=1)) / np.sqrt(len(values))
    return Measured(mean, float(mean - reach), float(mean + reach))


def _auc(labels: Labels, said: Array) -> Measured | None:
    if said.shape[1] == 2:
        return _delong(labels == 1, said[:, 1])
    value = score("AUC_weighted", labels, said)
    return None if not np.isfinite(value) else _resampled(value, labels, said)


def _delong(positive: npt.NDArray[np.bool_], values: Array) -> Measured:
    """Where one class is always above the other there is no spread: the interval is then that of the fewer rows."""
    area = auc(positive, values)
    of_positives, of_negatives = placements(positive, values)
    fewest = min(len(of_positives), len(of_negatives))
    if fewest < 2 or not (of_positives.var() or of_negatives.var()):
        return Measured(area, min(area, float(0.025 ** (1 / fewest))) if area > 0.5 else 0.0, 1.0)
    deviation = np.sqrt(of_positives.var(ddof=1) / len(of_positives) + of_negatives.var(ddof=1) / len(of_negatives))
    # By the logit, so that no interval reaches beyond 1.
    inner = float(np.clip(area, 1e-6, 1 - 1e-6))
    middle, reach = np.log(inner / (1 - inner)), Z * deviation / (inner * (1 - inner))
    low, high = (float(1 / (1 + np.exp(-edge))) for edge in (middle - reach, middle + reach))
    return Measured(area, min(area, low), max(area, high))


def _resampled(value: float, labels: Labels, said: Array) -> Measured:
    """By bootstrap of at most so many rows, whose spread is that of all but for their number."""
    random = np.random.default_rng(SEED)
    some = random.permutation(len(labels))[:RESAMPLED_MAX]
    draws = (some[random.integers(0, len(some), len(some))] for _ in range(RESAMPLED_TIMES))
    found = np.array([score("AUC_weighted", labels[rows], said[rows]) for rows in draws])
    reach = Z * float(np.nanstd(found)) * np.sqrt(len(some) / len(labels))
    return Measured(value, float(max(0.0, value - reach)), float(min(1.0, value + reach)))


def _losses(labels: Labels, said: Array) -> Array:
    own = said[np.arange(len(labels)), labels] / said.sum(axis=1)
    return np.asarray(-np.log(np.clip(own, TINY, 1 - TINY)))


def _of_numbers(actual: Array, predicted: Array) -> Mapping[str, Measured]:
    actual, predicted = np.clip(actual, -HUGE, HUGE), np.clip(predicted, -HUGE, HUGE)
    with np.errstate(over="ignore", invalid="ignore"):
        errors = predicted - actual
        sums = np.stack(
            [np.ones(len(errors)), np.abs(errors), errors**2, actual - actual.mean(), np.zeros(len(errors))]
        )
        sums[4] = sums[3] ** 2
        blocks = _blocks(sums)
        drawn = _draws(blocks)
        found = {}
        for name, figure in FIGURES.items():
            value = float(figure(blocks.sum(axis=1, keepdims=True))[0])
            low, high = np.nanquantile(figure(drawn), [0.025, 0.975])
            if np.isfinite([value, low, high]).all():
                found[name] = Measured(value, float(min(value, low)), float(max(value, high)))
    return found


def _blocks(sums: Array) -> Array:
    """Sums x blocks of rows: many rows are drawn together, at random, which changes nothing and saves time."""
    if sums.shape[1] <= BLOCKS_MAX:
        return sums
    order = np.random.default_rng(SEED).permutation(sums.shape[1])
    starts = np.linspace(0, sums.shape[1], BLOCKS_MAX, endpoint=False).astype(np.int64)
    return np.asarray(np.add.reduceat(sums[:, order], starts, axis=1))


def _draws(blocks: Array) -> Array:
    """Sums x resamples, in each of which every block is there so many times as a Poisson of mean 1 says."""
    weights = np.random.default_rng(SEED).poisson(1.0, (blocks.shape[1], RESAMPLES))
    return np.asarray(blocks @ weights.astype(np.float64))


def _r2(sums: Array) -> Array:
    spread = sums[4] - sums[3] ** 2 / sums[0]
    return np.asarray(1 - np.divide(sums[2], spread, out=np.full_like(spread, np.nan), where=spread > 0))


FIGURES: Mapping[str, Callable[[Array], Array]] = {
    "root_mean_squared_error": lambda sums: np.sqrt(sums[2] / sums[0]),
    "mean_absolute_error": lambda sums: np.asarray(sums[1] / sums[0]),
    "r2_score": _r2,
}
"""Of a regression, from sums over rows: of 1, |error|, error², centered actual and its square."""
