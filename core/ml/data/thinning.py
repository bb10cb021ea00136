"""Fewer rows to learn from, where all of them would take too long."""

from collections.abc import Sequence

import numpy as np

from core.domain.metrics import TaskKind
from core.ml.task import Rows


def thinned(rows: Rows, at_most: int, kind: TaskKind, seed: int) -> Rows:
    """So many rows by chance, in their order, and with them one of every class; 0 for all."""
    matrix, target = rows
    if not at_most or len(target) <= at_most:
        return rows
    order = np.random.default_rng(seed).permutation(len(target))
    chosen = order[:at_most]
    if kind is not TaskKind.REGRESSION:
        _, firsts = np.unique(target[order], return_index=True)
        chosen = np.union1d(chosen, order[firsts])
    places = np.sort(chosen)
    return matrix[places], target[places]


def thinned_parts(parts: Sequence[Rows], at_most: int, kind: TaskKind, seed: int) -> list[Rows]:
    """Of several parts together so many rows, of each its share."""
    rows = sum(len(target) for _, target in parts)
    if not at_most or rows <= at_most:
        return list(parts)
    return [thinned(part, max(1, at_most * len(part[1]) // rows), kind, seed) for part in parts]
