"""Recent values in the bins of training: counts that add up over requests, hours and deployments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.ml.drift.cells import numbers_of, texts_of
from core.ml.drift.reference import ColumnReference, Counts, binned, counted

UNSEEN_MAX = 100
"""So many unseen categories of one column are told apart."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What there was of one column."""

    counts: Counts
    total: float = 0.0
    """Of the numbers that are known; it may be infinite, where they are that large."""
    unseen: Mapping[str, int] = field(default_factory=dict)
    """Rows by category that training never saw."""

    @property
    def rows(self) -> int:
        return int(self.counts.sum())

    def __add__(self, other: "Tally") -> "Tally":
        unseen = dict(self.unseen)
        for text, rows in other.unseen.items():
            if text in unseen or len(unseen) < UNSEEN_MAX:
                unseen[text] = unseen.get(text, 0) + rows
        return Tally(self.counts + other.counts, self.total + other.total, unseen)


def nothing(reference: ColumnReference) -> Tally:
    """Of no rows."""
    return Tally(np.zeros(len(reference.counts), dtype=np.int64))


def tally(reference: ColumnReference, values: Sequence[Any]) -> Tally:
    """The values, None where one is missing, in the bins of the reference."""
    if reference.numeric:
        numbers = numbers_of(values, reference.dates)
        known = numbers[~np.isnan(numbers)]
        with np.errstate(over="ignore"):
            total = float(known.sum())
        return Tally(binned(np.array(reference.edges), numbers), total)
    texts = texts_of(values)
    counts = counted(reference.levels, texts)
    unseen: dict[str, int] = {}
    if reference.complete and counts[-2]:
        known_levels = set(reference.levels)
        for text in texts:
            if text is not None and text not in known_levels and (text in unseen or len(unseen) < UNSEEN_MAX):
                unseen[text] = unseen.get(text, 0) + 1
    return Tally(counts, unseen=unseen)
