"""How far two samples of a column are apart, and how easily luck alone would bring that about.

Both are samples: training's rows are no more the truth than the recent ones. All tests have two samples.
"""

from collections.abc import Sequence

import numpy as np

from core.ml.drift.reference import Counts
from core.predict.arrays import Array

EXPECTED_MIN = 10.0
"""Of categories with fewer expected rows in either sample, all are taken together."""


def psi(training: Counts, recent: Counts) -> float:
    """The population stability index (Siddiqi 2006): the sum of (r - t) ln(r / t) over the shares of the bins.

    Half a row is added to each bin, so that an empty one is not infinitely far away.
    """
    t, r = _shares(training), _shares(recent)
    return float(((r - t) * np.log(r / t)).sum())


def total_variation(training: Counts, recent: Counts) -> float:
    """Half the sum of the shares' differences: so much of one sample would have to move to make the other."""
    return float(np.abs(training / max(1, training.sum()) - recent / max(1, recent.sum())).sum() / 2)


def kolmogorov_smirnov(training: Counts, recent: Counts, slack: float = 0.0) -> tuple[float, float]:
    """The statistic and its p-value, of counts in ordered bins of which the last holds the missing values.

    Missing counts as a value below all others. Bins and ties make the p-value too high, if anything. What is within
    `slack` is no difference.
    """
    from scipy.special import kolmogorov

    rows, others = int(training.sum()), int(recent.sum())
    apart = np.cumsum(np.roll(training, 1)) / rows - np.cumsum(np.roll(recent, 1)) / others
    statistic = float(np.abs(apart).max())
    return statistic, float(kolmogorov(max(0.0, statistic - slack) * np.sqrt(rows * others / (rows + others))))


def chi_squared(training: Counts, recent: Counts) -> tuple[float, float]:
    """The statistic and the p-value of the smaller one of two questions, doubled for there being two.

    All categories together by Pearson's chi-squared, and each against the rest by Fisher's exact test (corrected for
    as many as there are): one that doubles is lost among many that stay, and many that change a little are not seen
    one by one.
    """
    from scipy.special import chdtrc

    some = (training + recent) > 0
    both = np.stack([training[some], recent[some]]).astype(np.float64)
    if both.shape[1] < 2:
        return 0.0, 1.0
    expected = np.outer(both.sum(axis=1), both.sum(axis=0)) / both.sum()
    statistic = float(((both - expected) ** 2 / expected).sum())
    together = float(chdtrc(both.shape[1] - 1, statistic))
    return statistic, min(1.0, 2 * min(together, both.shape[1] * _rarest(both)))


def _rarest(both: Array) -> float:
    """The smallest two-sided p-value of one category against the rest."""
    from scipy.stats import hypergeom

    rows, recent, each = int(both.sum()), int(both[1].sum()), both.sum(axis=0).astype(int)
    found = both[1].astype(int)
    above = hypergeom.sf(found - 1, rows, each, recent)
    below = hypergeom.cdf(found, rows, each, recent)
    return float(np.minimum(1.0, 2 * np.minimum(above, below)).min())


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for their number (Holm 1979): the least of them times n, the next times n - 1, and so on.

    Of columns that have not drifted none has one below x, in all but a share x of all cases, however they depend on
    each other.
    """
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    corrected, highest = [1.0] * len(p_values), 0.0
    for place, at in enumerate(order):
        highest = max(highest, min(1.0, p_values[at] * (len(order) - place)))
        corrected[at] = highest
    return corrected


def _shares(counts: Counts) -> Array:
    padded = counts + 0.5
    return np.asarray(padded / padded.sum())
