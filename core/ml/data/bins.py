"""The bars of a histogram: where they begin and end."""

import math

from core.domain.data import ColumnKind

BINS_MAX = 20
EXACT_TO = 2**53
"""Whole numbers up to this are numbers of double precision."""


def edges(kind: ColumnKind, low: float, high: float) -> list[float]:
    """The bins' borders, ascending; for integers whole numbers of equal distance, so that no bin is favored."""
    if kind is ColumnKind.INTEGER and high - low < EXACT_TO and max(abs(low), abs(high)) < EXACT_TO:
        width = math.ceil((high - low + 1) / BINS_MAX)
        return [low + i * width for i in range(math.ceil((high - low + 1) / width) + 1)]
    found = [low + (high / BINS_MAX - low / BINS_MAX) * i for i in range(BINS_MAX)]
    return [*sorted({edge for edge in found if low <= edge < high or edge == low}), high]


def scale_of(low: float, high: float) -> float:
    """A power of two: what is divided by it loses no bit, and the squares of 1e300 do not overflow."""
    return float(2.0 ** max(math.frexp(max(abs(low), abs(high)))[1] - 1, -1000))
