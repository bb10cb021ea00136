"""Whether what comes in, and what goes out, is still as it was in training: column by column, with one verdict each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

PSI_LIMIT = 0.02
"""The usual limit of a column's population stability index: a category of one row in twenty that doubles has 0.037."""
SCORE_LIMIT = 0.1
"""That of the score: in training each row was scored by a part of the model only, by those that had not seen it."""
LARGE_PSI = 0.1
"""From here on a shift is commonly called considerable (Siddiqi, Credit Risk Scorecards, 2006)."""


class DriftVerdict(StrEnum):
    """What is said of one column. One rule gives it: see `core.ml.drift`."""

    SAME = "same"
    DRIFTED = "drifted"
    MATTERS = "matters"
    """Drifted by a large effect, and the model leans on the column."""
    TOO_FEW = "too_few"
    """Too few rows to say."""


@dataclass(frozen=True, slots=True)
class Bins:
    """A column's values in training and lately, in the same bins, as shares that add up to 1 (or to 0 of no rows)."""

    labels: tuple[str, ...]
    """A category, or a range such as `30 to 40`; `missing`, `other` and `unseen` where there are such."""
    training: tuple[float, ...]
    recent: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """One column's recent values against the training data's."""

    column: str
    """Empty: the score, which the model gave."""
    verdict: DriftVerdict
    rows: int
    """Recent rows that were looked at."""
    psi: float | None
    """Population stability index over `bins`; None of too few rows."""
    test: str = ""
    """The distribution test: `Kolmogorov-Smirnov` of numbers, `chi-squared` of categories."""
    statistic: float | None = None
    p_value: float | None = None
    """Corrected for the number of columns (Holm); the verdict asks for both: beyond luck, and beyond the limit."""
    effect: float | None = None
    """How large: the shift of a number's mean in training standard deviations, or the total variation of categories."""
    limit: float = PSI_LIMIT
    """The PSI above which this column counts as drifted."""
    importance: float | None = None
    """Its share of the model's importance, 0 to 1; None where it is not known."""
    began: float | None = None
    """About when it began; None where it has not drifted, or nobody can say."""
    bins: Bins | None = None
    unseen: Mapping[str, int] | None = None
    """Categories that training never saw, and how many rows had them."""


@dataclass(frozen=True, slots=True)
class DriftReport:
    """How far what an endpoint was lately asked is from the training data."""

    endpoint: str
    deployment: str
    model: str
    model_version: int
    since: float
    until: float
    requests: int
    rows: int
    rows_needed: int
    """With fewer nothing is said."""
    columns: tuple[ColumnDrift, ...]
    """What matters first, then by effect."""
    score: ColumnDrift | None = None
    sampled_pct: float = 100.0
    """So many of the requests' inputs were kept."""
    training_rows: int = 0
    """That recent ones are compared with."""
    masked: tuple[str, ...] = ()
    """Columns of which nothing was kept, all the time or a part of it."""

    @property
    def enough(self) -> bool:
        """Whether there are rows enough to say anything."""
        return self.rows >= self.rows_needed

    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The columns that have drifted, what matters first."""
        return tuple(c for c in self.columns if c.verdict in (DriftVerdict.DRIFTED, DriftVerdict.MATTERS))


@dataclass(frozen=True, slots=True)
class PredictionBucket:
    """What an endpoint predicted in [at, at + width_s)."""

    at: float
    width_s: float
    rows: int
    by_class: Mapping[str, int]
    """Rows by predicted class; empty for a regression."""
    mean: float | None
    """Of the positive class's probability, or of the predicted number."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What an endpoint predicted over a window of time, from the answers that were kept."""

    endpoint: str
    deployment: str
    since: float
    until: float
    rows: int
    buckets: tuple[PredictionBucket, ...]
    edges: tuple[float, ...]
    """Of the histogram: one more than there are bins."""
    histogram: tuple[int, ...]
    """Rows by score."""
    training: tuple[float, ...] = ()
    """The share of training rows in each bin, by out-of-fold scores where there are some; empty: not known."""
    positive: str = ""
    """Whose probability the score is; empty: a number is predicted."""
