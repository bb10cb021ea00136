"""Which columns are worth combining: where what an additive model leaves unexplained hangs on two of them together.

The residual of boosted stumps, which know each column alone, is compared over the cells of two columns with what
chance would give (a chi-square statistic with as many degrees of freedom as cells).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from core.domain.data import ColumnKind
from core.domain.metrics import TaskKind
from core.ml.data.folds import Places
from core.ml.lookups import Part, cells, counts, part_of
from core.ml.task import LearningProblem, Rows
from core.predict.members import Array
from core.predict.steps import DIFFERENCE, PRODUCT, RATIO, Arithmetic

ROWS_MAX = 20_000
"""Rows on which combinations are judged."""
ROUNDS, RATE = 150, 0.15
COLUMNS_MAX = 14
"""Columns that are combined with each other: those that the stumps have used most."""
CROSSES_MAX, PAIRS_MAX = 8, 8
SURPRISE = 4.0
"""Standard deviations above chance from which a combination is worth trying."""
CELL_ROWS = 8.0
"""Rows that a combination's values must have on average."""
RANGES = 24


@dataclass(frozen=True, slots=True)
class Unexplained:
    """What stumps leave of the target, on some of the rows."""

    matrix: Array
    residual: Array
    """Rows x outputs, each with mean 0 and deviation 1."""
    columns: tuple[int, ...]
    """Those that the stumps have used, most first."""


def unexplained(rows: Rows, problem: LearningProblem, threads: int = 1) -> Unexplained:
    """Fit stumps to the rows, to some of many, and give what is left."""
    import lightgbm as lgb

    matrix, target = rows
    if len(target) > ROWS_MAX:
        some = np.random.default_rng(problem.seed).choice(len(target), ROWS_MAX, replace=False)
        matrix, target = matrix[some], target[some]
    several = {"objective": "multiclass", "num_class": problem.classes}
    objective = {TaskKind.BINARY: {"objective": "binary"}, TaskKind.REGRESSION: {"objective": "regression"}}
    params = {
        "num_leaves": 2,
        "learning_rate": RATE,
        "verbosity": -1,
        "num_threads": threads,
        "seed": problem.seed,
        "deterministic": True,
        "force_col_wise": True,
        "min_data_in_leaf": min(20, max(1, len(target) // 20)),
        **objective.get(problem.kind, several),
    }
    text = [at for at, code in enumerate(problem.codes) if code.kind is ColumnKind.STRING and not code.part]
    data = lgb.Dataset(matrix, target, categorical_feature=text, params={"verbosity": -1}, free_raw_data=False)
    booster = lgb.train(params, data, ROUNDS)
    said = np.asarray(booster.predict(matrix))
    left = target[:, None] == np.arange(said.shape[1]) if said.ndim == 2 else target[:, None]
    residual = left - said.reshape(len(target), -1)
    spread = residual.std(axis=0)
    used = booster.feature_importance("gain")
    order = [int(at) for at in np.argsort(-used, kind="stable") if used[at] > 0]
    residual = (residual - residual.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return Unexplained(matrix, residual, tuple(order[:COLUMNS_MAX]))


def crosses(left: Unexplained, problem: LearningProblem, cells_max: int) -> list[tuple[Part, Part]]:
    """The pairs of columns, one of text at least, whose values together explain most of what is left."""
    parts = {column: part_of(problem, left.matrix, column) for column in left.columns}
    found = []
    for one, other in combinations(left.columns, 2):
        key = parts[one], parts[other]
        if all(len(part.edges) for part in key) or cells(key) > cells_max:
            continue
        surprise, gained = _surprise(counts([key], left.matrix).places(left.matrix)[:, 0], left.residual)
        if surprise > SURPRISE:
            found.append((gained, key))
    found.sort(key=lambda pair: -pair[0])
    return [key for _, key in found[:CROSSES_MAX]]


def pairs(left: Unexplained, problem: LearningProblem) -> Arithmetic | None:
    """The differences, ratios and products of two columns of numbers that explain most of what is left; None: none."""
    numbers = [c for c in left.columns if problem.codes[c].kind is not ColumnKind.STRING]
    found = []
    for candidate in _candidates(numbers):
        values = Arithmetic(*(np.array([part]) for part in candidate)).added(left.matrix)[:, 0]
        surprise, gained = _surprise(_ranges(values), left.residual)
        if surprise > SURPRISE:
            found.append((gained, candidate))
    found.sort(key=lambda pair: -pair[0])
    if not (best := [candidate for _, candidate in found[:PAIRS_MAX]]):
        return None
    return Arithmetic(*(np.array(part, dtype=np.int64) for part in zip(*best, strict=True)))


def _candidates(numbers: list[int]) -> Iterator[tuple[int, int, int]]:
    for one, other in combinations(numbers, 2):
        yield one, other, DIFFERENCE
        yield one, other, PRODUCT
        yield one, other, RATIO
        yield other, one, RATIO


def _ranges(values: Array) -> Places:
    """Places in ranges with as many rows each; a missing value in one of its own."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(len(values), dtype=np.int64)
    edges = np.unique(np.quantile(known, np.arange(1, RANGES) / RANGES))
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values)).astype(np.int64)


def _surprise(places: Places, residual: Array) -> tuple[float, float]:
    """Standard deviations above chance, and what is explained beyond it, of the residual by these cells."""
    _, cell = np.unique(places, return_inverse=True)
    number = np.bincount(cell)
    if len(number) < 2 or len(places) / len(number) < CELL_ROWS:
        return 0.0, 0.0
    total = sum(float((np.bincount(cell, weights=column) ** 2 / number).sum()) for column in residual.T)
    expected = float((len(number) - 1) * residual.shape[1])
    return (total - expected) / np.sqrt(2 * expected), total - expected
