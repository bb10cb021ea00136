"""Fewer rows to learn from, where all of them would take too long."""

from collections.abc import Sequence

import numpy as np

from core.domain.metrics import TaskKind
from core.ml.data.folds import Places
from core.ml.task import Labels, Rows


def thinned(rows: Rows, at_most: int, kind: TaskKind, seed: int) -> Rows:
    """So many rows by chance, in their order, and with them one of every class; 0 for all."""
    matrix, target = rows
    if not at_most or len(target) <= at_most:
        return rows
    order = np.random.default_rng(seed).permutation(len(target))
    chosen = order[:at_most]
    if kind is not TaskKind.REGRESSION:
        chosen = np.append(chosen, _first_of_absent(target, order, at_most))
    places = np.sort(chosen)
    return matrix[places], target[places]


def _first_of_absent(target: Labels, order: Places, at_most: int) -> Places:
    """The first row in this order of each class that the first `at_most` have none of; sorting all would take long."""
    there, chosen = np.bincount(target), np.bincount(target[order[:at_most]], minlength=int(target.max()) + 1)
    absent = np.flatnonzero((there > 0) & (chosen == 0))
    return np.array([order[np.argmax(target[order] == label)] for label in absent], dtype=np.int64)


def thinned_parts(parts: Sequence[Rows], at_most: int, kind: TaskKind, seed: int) -> list[Rows]:
    """Of several parts together so many rows, of each its share."""
    rows = sum(len(target) for _, target in parts)
    if not at_most or rows <= at_most:
        return list(parts)
    return [thinned(part, max(1, at_most * len(part[1]) // rows), kind, seed) for part in parts]
