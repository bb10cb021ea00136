"""The rows that judge the trials of a job, read again from its table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from core.domain.explanation import MetricSpread
from core.domain.signature import Scalar, Signature
from core.domain.training import Cost
from core.ml.data.folds import Folds, Places, folds_of
from core.ml.data.table import open_table, read_judged, target_code
from core.ml.ensembles.threshold import costs_of
from core.ml.ensembles.threshold import decided_by as by_costs
from core.ml.metrics import evaluate
from core.ml.task import LearningProblem, Target
from core.predict.encoder import ColumnCode
from core.predict.members import Array


@dataclass(frozen=True, slots=True)
class Judged:
    """What is right, row by row, in the order of a trial's predictions."""

    problem: LearningProblem
    folds: Folds
    """Of all rows."""
    target: Target
    """Of the judged rows, as all below."""
    block: Places


def judged_of(problem: LearningProblem) -> Judged:
    """The target alone, without the columns: that is quick."""
    (_, target), other = read_judged(replace(problem, codes=()))
    folds = folds_of(problem, target, other)
    return Judged(problem, folds, target[folds.judged], folds.block[folds.judged])


def matrix_of(judged: Judged, *, threads: int = 1) -> Array:
    """The encoded columns of the judged rows."""
    (matrix, _), _ = read_judged(judged.problem, threads=threads)
    return np.asarray(matrix[judged.folds.judged])


def decided_by(judged: Judged, said: Array, costs: Sequence[Cost]) -> Signature:
    """The signature with the rule that a cost matrix gives these predictions, as the winner's gets it."""
    signature = judged.problem.signature
    if (matrix := costs_of(costs, judged.problem)) is None:
        return signature
    return by_costs(matrix, signature, judged.target, said, judged.block)[0]


def folds_again(judged: Judged, repeats: Sequence[int]) -> Places:
    """The fold of each judged row (rows x repeats) in each repeat; rows that are held out have one model each time."""
    first, problem = judged.folds.fold[judged.folds.judged], judged.problem
    if problem.validation_table or problem.validation_share:
        return np.tile(first[:, None], (1, len(repeats)))
    each = [folds_of(problem, judged.target, repeat=repeat).fold if repeat else first for repeat in repeats]
    return np.stack(each, axis=1)


def cells_of(judged: Judged, column: ColumnCode) -> list[Scalar | None]:
    """The judged rows' values in any column of the table, whether the model reads it or not."""
    problem = judged.problem
    tables = [problem.table, *([problem.validation_table] if problem.validation_table else [])]
    parts = []
    for path in tables:
        with open_table(path) as table:
            parts.append(table.read([column], target_code(problem)).column(0).combine_chunks())
    found: list[Scalar | None] = pa.chunked_array(parts).filter(pa.array(judged.folds.judged)).to_pylist()
    return found


def spread_of(judged: Judged, said: Array) -> tuple[MetricSpread, ...]:
    """Every metric on all rows together and on each fold, by name."""
    kind = judged.problem.kind
    blocks = [judged.block == b for b in np.unique(judged.block)]
    each = [evaluate(kind, judged.target[rows], said[rows]) for rows in blocks]
    whole = evaluate(kind, judged.target, said)
    return tuple(MetricSpread(name, whole[name], _over(name, each)) for name in sorted(whole))


def _over(name: str, each: Sequence[dict[str, float]]) -> tuple[float | None, ...]:
    return tuple(fold.get(name) for fold in each)
