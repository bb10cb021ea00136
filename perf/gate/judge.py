"""From paired times to a verdict, by a bootstrap over restarts and over the pairs within each.

The error between restarts (where code and data happen to lie in memory) does not shrink with more pairs, so a restart
is what is drawn first, and with few of them the interval is as much wider as Student's t is than the normal.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

Array = npt.NDArray[np.float64]

CONFIDENCE = 0.99
"""Of each bound, one-sided."""
DRAWS = 2000
RESTARTS_MIN = 4
"""Student's t with fewer is too wide to decide anything."""
SEEN_PCT = 2.0
"""When time is over, what is at most this far above the threshold is `same`: a slowdown of 3 % would have been seen."""


class Kind(StrEnum):
    """What became of a benchmark."""

    FASTER = "faster"
    SAME = "same"
    SLOWER = "slower"
    UNDECIDED = "undecided"
    NEW = "new"
    """The base cannot run it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The ratio head / base of the times of one call, with its two one-sided 99 % bounds."""

    ratio: float
    low: float
    high: float


@dataclass
class Ratios:
    """Log ratios of paired blocks, an array a restart, and what the bootstrap has drawn of each."""

    restarts: list[Array] = field(default_factory=list)
    _drawn: list[Array] = field(default_factory=list)

    def add(self, log_ratios: Sequence[float], random: np.random.Generator) -> None:
        """One more restart with its pairs."""
        pairs = np.asarray(log_ratios, dtype=np.float64)
        picked = random.integers(0, len(pairs), (DRAWS, len(pairs)))
        self.restarts.append(pairs)
        self._drawn.append(np.median(pairs[picked], axis=1))

    @property
    def pairs(self) -> int:
        return sum(len(restart) for restart in self.restarts)

    def bounds(self, random: np.random.Generator) -> Bounds:
        """The mean over restarts of the median ratio within each, with its bounds; infinitely wide for too few."""
        count = len(self.restarts)
        centre = float(np.mean([np.median(restart) for restart in self.restarts])) if count else 0.0
        if count < RESTARTS_MIN:
            return Bounds(math.exp(centre), 0.0, math.inf)
        drawn = np.stack(self._drawn)
        which = random.integers(0, count, (DRAWS, count))
        means = drawn[which, random.integers(0, DRAWS, (DRAWS, count))].mean(axis=1)
        low, high = np.quantile(means, (1 - CONFIDENCE, CONFIDENCE))
        wider = _small_sample(count)
        return Bounds(
            math.exp(centre), math.exp(centre - wider * (centre - low)), math.exp(centre + wider * (high - centre))
        )


def _small_sample(restarts: int) -> float:
    """How much wider than the bootstrap's the interval must be: it divides by n, and takes the spread as known."""
    t_over_normal = float(stdtrit(restarts - 1, CONFIDENCE) / ndtri(CONFIDENCE))
    return math.sqrt(restarts / (restarts - 1)) * t_over_normal


def verdict(bounds: Bounds, threshold_pct: float, *, time_is_over: bool) -> Kind:
    """What the bounds say. Before the time is over UNDECIDED means: go on."""
    limit = 1 + threshold_pct / 100
    if bounds.low > limit:
        return Kind.SLOWER
    if bounds.high < 1 / limit:
        return Kind.FASTER
    if bounds.low > 1 / limit and bounds.high < limit:
        return Kind.SAME
    if time_is_over and bounds.high < limit + SEEN_PCT / 100:
        return Kind.SAME
    return Kind.UNDECIDED
