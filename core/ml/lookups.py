"""Fitting the steps that look up a number for each combination of values: the target's mean there, or how often it is.

A row must not see its own target: training rows get their numbers from the other parts of an inner split, as in
Micci-Barreca (2001) with the out-of-fold form that is usual since.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.domain.data import ColumnKind
from core.domain.metrics import TaskKind
from core.ml.data.folds import Places, split
from core.ml.task import LearningProblem, Rows, Target
from core.predict.members import Array
from core.predict.steps import Lookup

SMOOTHING = 20.0
"""A combination of values counts as so many rows less than it has: the fewer it has, the nearer to the overall mean."""
INNER_FOLDS = 5
CLASSES_MAX = 10
"""Of more classes the most frequent ones get a column each."""
RANGES = 12
"""Ranges of equal numbers of rows into which a column of numbers is cut where it is combined with another."""
CELLS_MAX = 60_000
"""Combinations that one key may have."""


@dataclass(frozen=True, slots=True)
class Part:
    """One column as part of a key."""

    column: int
    size: int
    edges: Array
    """Ascending; empty for text."""


def part_of(problem: LearningProblem, matrix: Array, column: int) -> Part:
    """Text by its levels, numbers by ranges with as many rows each."""
    code = problem.codes[column]
    if code.kind is ColumnKind.STRING and not code.part:
        return Part(column, len(code.levels), np.zeros(0))
    known = matrix[:, column][~np.isnan(matrix[:, column])]
    cuts = np.quantile(known, np.arange(1, RANGES) / RANGES, method="nearest") if len(known) else np.zeros(0)
    edges = np.unique(cuts)
    return Part(column, len(edges) + 1, edges)


def cells(key: Sequence[Part]) -> int:
    """Combinations of values, a missing one counted as a value."""
    return int(np.prod([float(part.size) + 1 for part in key]))


def empty(keys: Sequence[Sequence[Part]], outputs: int) -> Lookup:
    """The lookup of these keys with zeros in its table."""
    parts = [part for key in keys for part in key]
    edges = np.full((len(parts), max([1, *(len(part.edges) for part in parts)])), np.inf)
    for at, part in enumerate(parts):
        edges[at, : len(part.edges)] = part.edges
    sizes = np.array([cells(key) for key in keys])
    lengths = np.array([len(key) for key in keys])
    return Lookup(
        np.array([part.column for part in parts], dtype=np.int64),
        np.array([part.size for part in parts], dtype=np.int64),
        edges,
        np.array([len(part.edges) > 0 for part in parts]),
        np.cumsum(lengths, dtype=np.int64) - lengths,
        np.cumsum(sizes, dtype=np.int64) - sizes,
        np.zeros((int(sizes.sum()), outputs)),
    )


def counts(keys: Sequence[Sequence[Part]], matrix: Array) -> Lookup:
    """How often each combination occurs in the rows, as the logarithm of 1 + that."""
    lookup = empty(keys, 1)
    places = lookup.places(matrix)
    found = np.bincount(places.ravel(), minlength=len(lookup.table)).astype(np.float64)
    return replace(lookup, table=np.log1p(found)[:, None])


def targets(keys: Sequence[Sequence[Part]], rows: Rows, problem: LearningProblem) -> tuple[Lookup, Array]:
    """The target's smoothed mean for each combination, and what the training rows see: the mean of other rows."""
    matrix, target = rows
    wanted = _indicators(problem, target)
    lookup = empty(keys, wanted.shape[1])
    places = lookup.places(matrix)
    fold = split(_strata(problem, target), min(INNER_FOLDS, len(target)), problem.seed + 1)
    seen = np.empty((len(target), places.shape[1], wanted.shape[1]))
    for k in np.unique(fold):
        outside, inside = fold != k, fold == k
        table = _means(places[outside], wanted[outside], len(lookup.table))
        seen[inside] = table[places[inside]]
    made = replace(lookup, table=_means(places, wanted, len(lookup.table)))
    return made, seen.reshape(len(target), -1)


def _strata(problem: LearningProblem, target: Target) -> Target:
    return np.zeros(len(target), dtype=np.int64) if problem.kind is TaskKind.REGRESSION else target


def _indicators(problem: LearningProblem, target: Target) -> Array:
    """Whose means are kept: the number; of two classes the second; of several each, or the most frequent ones."""
    if problem.kind is TaskKind.REGRESSION:
        return np.asarray(target[:, None], dtype=np.float64)
    if problem.kind is TaskKind.BINARY:
        return np.asarray(target[:, None] == 1, dtype=np.float64)
    found = np.bincount(target, minlength=problem.classes)
    shown = np.sort(np.argsort(-found, kind="stable")[:CLASSES_MAX])
    return np.asarray(target[:, None] == shown, dtype=np.float64)


def _means(places: Places, wanted: Array, size: int) -> Array:
    number = np.bincount(places.ravel(), minlength=size)
    table = np.empty((size, wanted.shape[1]))
    for at, prior in enumerate(wanted.mean(axis=0) if len(wanted) else np.zeros(wanted.shape[1])):
        each = np.repeat(wanted[:, at], places.shape[1])
        total = np.bincount(places.ravel(), weights=each, minlength=size)
        table[:, at] = (total + SMOOTHING * prior) / (number + SMOOTHING)
    return table
