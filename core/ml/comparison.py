"""Whether one model is better than another on the same rows: a paired test, since a bare difference is partly luck.

A gain is counted so that more is better, whatever the metric. Which test depends on the metric alone:

- AUC of two classes: DeLong's test for correlated curves, where each class has the rows for its normal approximation;
- accuracy: McNemar's exact test, on the rows of which one model is right and the other wrong;
- all others: an interval by bootstrap of the rows, within each class; and a permutation test, which exchanges the two
  models' answers row by row and is exact however few the rows are.

The new model is better where the interval of its gain lies above 0 and the test rejects that the two are equal. Of two
models that are equally good, the new one is called better in at most (1 - confidence) of all cases.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from core.domain.metrics import gain
from core.ml.metrics import TINY, score
from core.ml.task import Labels, Target
from core.predict.members import Array

DELONG_CLASS_ROWS_MIN = 10
RESAMPLES = 2_000
RESAMPLED_ROWS_MAX = 20_000
"""Of more rows, so many are drawn for tests that resample; they are far more than are needed to see a difference."""
RESAMPLED_CELLS = 20_000_000
"""With many rows there are fewer resamples, at least 500."""

Gains = tuple[Array, Array]
"""The gain in each resample, and that under the hypothesis that the models are equal."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The metric of both models, the gain of the new one with its interval, and the p-value of two-sided equality."""

    metric: str
    new: float
    live: float
    gain: float
    low: float
    high: float
    p_value: float
    test: str
    confidence: float

    @property
    def better(self) -> bool:
        """The new model is better, beyond luck."""
        return self.low > 0 and self.p_value <= 1 - self.confidence


def compare(
    metric: str,
    labels: Target,
    new: Array,
    live: Array,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    rows_max: int = RESAMPLED_ROWS_MAX,
    resamples: int = 0,
) -> Comparison:
    """Two models on the same rows: `labels` index the columns of both models' probabilities. Each class has a row.

    Of a regression `labels` are numbers. A test that resamples draws from `rows_max` rows, `resamples` times; 0 leaves
    that to the number of rows.
    """
    both = (score(metric, labels, new), score(metric, labels, live))
    if metric in ("AUC_weighted", "AUC_macro") and new.shape[1] == 2 and _enough(labels):
        found = _delong(labels, new[:, 1], live[:, 1], confidence)
        test = "DeLong"
    elif metric == "accuracy":
        found = _mcnemar(labels, new, live, confidence)
        test = "McNemar, exact"
    else:
        found = _resampled(metric, labels, new, live, confidence, np.random.default_rng(seed), rows_max, resamples)
        test = "bootstrap and permutation"
    return Comparison(metric, *both, gain(metric, both[0]) - gain(metric, both[1]), *found, test, confidence)


def _enough(labels: Labels) -> bool:
    return int(np.bincount(labels, minlength=2).min()) >= DELONG_CLASS_ROWS_MIN


def _delong(labels: Labels, new: Array, live: Array, confidence: float) -> tuple[float, float, float]:
    """DeLong, DeLong and Clarke-Pearson 1988: low, high and p-value of the difference of two areas."""
    positive = labels == 1
    (of_new, not_new), (of_live, not_live) = placements(positive, new), placements(positive, live)
    positives, negatives = of_new - of_live, not_new - not_live
    difference = float(positives.mean())
    deviation = float(np.sqrt(positives.var(ddof=1) / len(positives) + negatives.var(ddof=1) / len(negatives)))
    if not deviation:
        return difference, difference, float(difference == 0)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * deviation
    return difference - reach, difference + reach, 2 * NormalDist().cdf(-abs(difference) / deviation)


def placements(positive: npt.NDArray[np.bool_], values: Array) -> tuple[Array, Array]:
    """For each positive the share of negatives below it, for each negative that of positives above it."""
    mine, others = values[positive], values[~positive]
    return _below(mine, others), 1 - _below(others, mine)


def _below(values: Array, others: Array) -> Array:
    """The share of `others` that each value exceeds; a tie counts half."""
    ordered = np.sort(others)
    left, right = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return np.asarray((left + right) / (2 * len(ordered)))


def _mcnemar(labels: Labels, new: Array, live: Array, confidence: float) -> tuple[float, float, float]:
    """Low, high and p-value of the difference of two accuracies, given how many rows only one model gets right."""
    from scipy.stats import binomtest

    right, other = new.argmax(axis=1) == labels, live.argmax(axis=1) == labels
    won, differ = int((right & ~other).sum()), int((right != other).sum())
    if not differ:
        return 0.0, 0.0, 1.0
    tested = binomtest(won, differ)
    shares = tested.proportion_ci(confidence)
    low, high = ((2 * share - 1) * differ / len(labels) for share in (shares.low, shares.high))
    return float(low), float(high), float(tested.pvalue)


def _resampled(
    metric: str,
    labels: Target,
    new: Array,
    live: Array,
    confidence: float,
    random: np.random.Generator,
    rows_max: int,
    resamples: int,
) -> tuple[float, float, float]:
    """Low, high and p-value of the gain."""
    if len(labels) > rows_max:
        some = random.choice(len(labels), rows_max, replace=False)
        labels, new, live = labels[some], new[some], live[some]
    times = resamples or int(np.clip(RESAMPLED_CELLS // len(labels), 500, RESAMPLES))
    judge = _by_row if metric == "log_loss" else _by_rows
    drawn, under_equality = judge(metric, labels, new, live, times, random)
    observed = gain(metric, score(metric, labels, new)) - gain(metric, score(metric, labels, live))
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    beyond = int((np.abs(under_equality) >= abs(observed) - 1e-12).sum())
    return float(low), float(high), (beyond + 1) / (times + 1)


def _by_row(metric: str, labels: Labels, new: Array, live: Array, times: int, random: np.random.Generator) -> Gains:
    """Of a metric that is the mean of what each row contributes."""
    gains = _losses(labels, live) - _losses(labels, new)
    draw = _within_classes(labels, random)
    signs = ((random.integers(0, 2, len(gains)) * 2 - 1) for _ in range(times))
    return np.array([gains[draw()].mean() for _ in range(times)]), np.array([(s * gains).mean() for s in signs])


def _by_rows(metric: str, labels: Target, new: Array, live: Array, times: int, random: np.random.Generator) -> Gains:
    """Of any metric."""

    def gained(mine: Array, theirs: Array, of: Target) -> float:
        return gain(metric, score(metric, of, mine)) - gain(metric, score(metric, of, theirs))

    draw = _within_classes(labels, random)
    drawn = [gained(new[some], live[some], labels[some]) for some in (draw() for _ in range(times))]
    swapped = (random.integers(0, 2, len(labels)).astype(bool)[:, None] for _ in range(times))
    equal = [gained(np.where(swap, live, new), np.where(swap, new, live), labels) for swap in swapped]
    return np.array(drawn), np.array(equal)


def _within_classes(labels: Target, random: np.random.Generator) -> Callable[[], Labels]:
    """Draws rows with replacement, of each class as many as it has: none is missing in a resample."""
    if labels.dtype.kind == "f":  # a regression's numbers are no classes
        return lambda: random.integers(0, len(labels), len(labels))
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return lambda: np.concatenate([random.choice(rows, len(rows)) for rows in members])


def _losses(labels: Labels, probabilities: Array) -> Array:
    own = probabilities[np.arange(len(labels)), labels] / probabilities.sum(axis=1)
    return np.asarray(-np.log(np.clip(own, TINY, 1 - TINY)))
