"""What a model goes by and how good it is, in figures that a page can draw: aggregates, never a training row."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.domain.signature import Scalar


class Scale(StrEnum):
    """What contributions add up to."""

    LOG_ODDS = "log_odds"
    """The margin of a model of two classes: the logarithm of p / (1 - p)."""
    SCORE = "score"
    """The margin of one of several classes, before they are made probabilities together."""
    PROBABILITY = "probability"
    VALUE = "value"
    """The number that a regression predicts."""


class Method(StrEnum):
    """How contributions are found."""

    TREE_SHAP = "tree_shap"
    """Path-dependent Shapley values of trees (Lundberg et al. 2020)."""
    LINEAR_SHAP = "linear_shap"
    """The exact Shapley values of a linear model."""
    COMBINED_SHAP = "combined_shap"
    """Those of each part, carried through the mean or the stack that makes one probability of several."""
    PERMUTATION = "permutation"
    """Estimates: columns are exchanged with those of other rows, in random order."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What each column contributes to one row's score; `base` plus their sum is the score."""

    base: float
    """The score of an average row."""
    contributions: Mapping[str, float]
    """By column of the table, all parts of a date and all codes of a text summed."""
    score: float
    scale: Scale = Scale.LOG_ODDS
    method: Method = Method.TREE_SHAP
    class_name: Scalar | None = None
    """Of whose probability they speak; None for a regression."""
    probabilities: tuple[float, ...] = ()
    """Of all classes; none for a regression."""

    @property
    def estimated(self) -> bool:
        """The contributions are drawn at random, so that others would come out another time."""
        return self.method is Method.PERMUTATION

    @property
    def ranked(self) -> tuple[tuple[str, float], ...]:
        """Columns with their contributions, the largest first, whichever way it goes."""
        return tuple(sorted(self.contributions.items(), key=lambda item: -abs(item[1])))


class CurveName(StrEnum):
    """The charts of predictions on rows that a model never saw."""

    ROC = "roc"
    """False positive rate, true positive rate."""
    PRECISION_RECALL = "precision_recall"
    """Recall, precision."""
    CALIBRATION = "calibration"
    """Mean predicted probability, share of the class, of rows of about the same prediction."""
    LIFT = "lift"
    """Share of the rows by falling prediction, how much more of the class is among them than among all."""
    GAINS = "cumulative_gains"
    """Share of the rows by falling prediction, share of the class that is among them."""
    RESIDUALS = "residuals"
    """True minus predicted number (the middle of a range), rows in it."""
    PREDICTED_TRUE = "predicted_true"
    """Mean predicted number, mean true one, of rows of about the same prediction."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One chart's points, `x` against `y`, under the chart's name (one of `CurveName`)."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    class_name: Scalar | None = None
    area: float | None = None
    """Below a ROC curve; of precision against recall, the average precision."""
    rows: tuple[int, ...] = ()
    """Behind each point, where a point stands for a range of rows."""


@dataclass(frozen=True, slots=True)
class TrialCurves:
    """The charts of one trial; of several classes each against the rest."""

    rows: int
    classes: tuple[Scalar, ...]
    """None for a regression."""
    curves: tuple[Curve, ...]
    confusion: tuple[tuple[int, ...], ...] = ()
    """Rows by true class, then by predicted class, in the order of `classes`; none for a regression."""

    def of(self, name: str, class_name: Scalar | None = None) -> Curve | None:
        """One chart; without a class the last one's, which of two classes is the positive one."""
        found = [c for c in self.curves if c.name == name and class_name in (None, c.class_name)]
        return found[-1] if found else None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a right or wrong decision is worth, for each row: costs are below 0."""

    true_positive: float = 0.0
    false_positive: float = -1.0
    false_negative: float = -1.0
    true_negative: float = 0.0


@dataclass(frozen=True, slots=True)
class ThresholdTable:
    """Rows by what was right and what is predicted when a class is said from each threshold of its probability on."""

    class_name: Scalar
    thresholds: tuple[float, ...]
    true_positives: tuple[int, ...]
    false_positives: tuple[int, ...]
    true_negatives: tuple[int, ...]
    false_negatives: tuple[int, ...]
    threshold: float = 0.5
    """The one that the model decides by."""

    def place(self, threshold: float) -> int:
        """Of the entry nearest to a threshold."""
        return min(range(len(self.thresholds)), key=lambda at: abs(self.thresholds[at] - threshold))

    def counts(self, at: int) -> tuple[int, int, int, int]:
        """True positives, false positives, true negatives and false negatives of one entry."""
        return self.true_positives[at], self.false_positives[at], self.true_negatives[at], self.false_negatives[at]

    def rates(self, at: int) -> Mapping[str, float | None]:
        """What follows from the counts of one entry, by metric; None where there is nothing to divide by."""
        tp, fp, tn, fn = self.counts(at)
        return {
            "accuracy": _share(tp + tn, tp + fp + tn + fn),
            "precision": _share(tp, tp + fp),
            "recall": _share(tp, tp + fn),
            "specificity": _share(tn, tn + fp),
            "f1": _share(2 * tp, 2 * tp + fp + fn),
            "predicted_rate": _share(tp + fp, tp + fp + tn + fn),
        }

    def profits(self, worth: Outcomes) -> tuple[float, ...]:
        """The sum over all rows at each threshold."""
        counts = zip(self.true_positives, self.false_positives, self.true_negatives, self.false_negatives, strict=True)
        return tuple(
            tp * worth.true_positive + fp * worth.false_positive + tn * worth.true_negative + fn * worth.false_negative
            for tp, fp, tn, fn in counts
        )

    def best(self, worth: Outcomes) -> int:
        """The place of the threshold of the highest profit; of equals the middle one of the first run of them."""
        profits = self.profits(worth)
        first = profits.index(max(profits))
        last = first
        while last + 1 < len(profits) and profits[last + 1] == profits[first]:
            last += 1
        return (first + last) // 2


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclass(frozen=True, slots=True)
class MetricSpread:
    """One metric of a trial: on all its rows together, and on each fold."""

    name: str
    value: float
    by_fold: tuple[float | None, ...]
    """None where the fold's rows do not define it."""

    @property
    def deviation(self) -> float | None:
        """The standard deviation over the folds; None of fewer than two."""
        known = [value for value in self.by_fold if value is not None]
        if len(known) < 2:
            return None
        mean = sum(known) / len(known)
        return float((sum((value - mean) ** 2 for value in known) / (len(known) - 1)) ** 0.5)


@dataclass(frozen=True, slots=True)
class ColumnImportance:
    """How much a model goes by one column."""

    column: str
    permutation: float
    """How much worse the metric gets when the column's values are exchanged among the rows; below 0 by luck only."""
    deviation: float
    """Of that, over repeats."""
    shap: float | None = None
    """The mean size of its contributions; None where the model has no exact ones."""


@dataclass(frozen=True, slots=True)
class Importance:
    """What a trial goes by, measured on rows that its models never saw, the most important column first."""

    metric: str
    rows: int
    columns: tuple[ColumnImportance, ...]
    scale: Scale | None = None
    """Of the contributions."""
    class_name: Scalar | None = None


@dataclass(frozen=True, slots=True)
class PartialDependence:
    """What is predicted on average when one column has this or that value, all else being as it is."""

    column: str
    values: tuple[Scalar, ...]
    averages: tuple[float, ...]
    """Of the probability of the class; of a regression, of the number."""
    low: tuple[float, ...]
    """A tenth of the rows are below it."""
    high: tuple[float, ...]
    """A tenth of the rows are above it."""
    rows: int
    """They are measured on, a sample."""
    class_name: Scalar | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """How a trial does on the rows that have one value, or a range of values, of a column."""

    name: str
    rows: int
    positive_rate: float
    """The share that is of the class."""
    predicted_rate: float
    """The share that is predicted to be."""
    true_positive_rate: float | None
    """None, here and below, where the group has no row to tell by."""
    false_positive_rate: float | None
    precision: float | None
    auc: float | None


@dataclass(frozen=True, slots=True)
class Fairness:
    """The groups of one column side by side, at one threshold, the largest first."""

    column: str
    class_name: Scalar
    threshold: float
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Two trials on the same rows: the gain of the first over the second, with its interval."""

    metric: str
    first: float
    """The metric of the first."""
    second: float
    gain: float
    """Above 0 the first is better, whichever way the metric goes."""
    low: float
    high: float
    p_value: float
    test: str
    confidence: float = 0.95

    @property
    def verdict(self) -> int:
        """1: the first is better, beyond luck; -1: the second is; 0: nobody can say."""
        if self.p_value > 1 - self.confidence or self.low <= 0 <= self.high:
            return 0
        return 1 if self.low > 0 else -1


@dataclass(frozen=True, slots=True)
class Winner:
    """Why a job's best trial won, and over whom it is better beyond luck."""

    trial: int
    sentence: str
    metric: str
    beaten: tuple[int, ...]
    """Trials that it is better than, beyond luck."""
    level: tuple[int, ...]
    """Trials from which the rows cannot tell it."""
