"""The reference of a model from the table that it learned from."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from core.contract.decision import scores
from core.domain.data import NUMERIC, ColumnKind
from core.domain.signature import Signature
from core.ml.data.table import open_table
from core.ml.drift.distance import kolmogorov_smirnov
from core.ml.drift.leaning import importance_of, rows_for
from core.ml.drift.reference import ColumnReference, Reference, binned, of_column, of_numbers
from core.predict.arrays import Array
from core.predict.encoder import ColumnCode
from core.predict.folder import Predictor

ROWS_MAX = 200_000
"""Of more rows, one in so many is taken: these are enough to see any drift that matters."""
CELLS_MAX = 10_000_000
"""Are held at once."""
SCORE = ""
"""The name of the score among the columns."""


def reference_of(table: Path, rows: int, predictor: Predictor, said: Array | None = None) -> Reference:
    """What the rows of the table were like of which the target is known, and how much the model leans on each column.

    `rows` is about how many it has; `said` is what models said of rows that they never saw, in any order.
    """
    signature, encoder = predictor.signature, predictor.encoder
    dates = {code.name: code.dates for code in encoder.codes if code.dates}
    codes = [ColumnCode(column.name, column.kind) for column in signature.used]
    every = -(-max(1, rows) // ROWS_MAX)
    at_once = max(1, CELLS_MAX * every // max(1, rows))
    columns: list[ColumnReference] = []
    some: dict[str, list[Any]] = {}
    with open_table(table) as opened:
        for part in (codes[at : at + at_once] for at in range(0, len(codes), at_once)):
            cells = opened.read(part, _target(signature), every)
            columns += [_of_cells(code, cells.column(at), dates.get(code.name, "")) for at, code in enumerate(part)]
            few = np.linspace(0, len(cells) - 1, min(len(cells), rows_for(predictor))).astype(np.int64)
            some |= {code.name: cells.column(at).take(few).to_pylist() for at, code in enumerate(part)}
    matrix = encoder([some[name] for name in encoder.names])
    score = None if said is None else _score(predictor, matrix, np.array(scores(signature, said)))
    return Reference(tuple(columns), score, importance_of(predictor, matrix) if len(matrix) else {})


def _score(predictor: Predictor, matrix: Array, unseen: Array) -> ColumnReference:
    """The scores of rows by models that never saw them.

    The model that is served is the mean of those of all folds. Where they have learned little, its scores have other
    steps and scatter less, which is no drift: how far they are apart is measured on rows of the table.
    """
    told = of_numbers(SCORE, ColumnKind.NUMBER, unseen)
    if not len(matrix) or not told.rows:
        return told
    served = np.array(scores(predictor.signature, predictor.of_matrix(matrix)))
    apart, _ = kolmogorov_smirnov(np.array(told.counts), binned(np.array(told.edges), served))
    return replace(told, slack=apart)


def _of_cells(code: ColumnCode, cells: "pa.ChunkedArray", dates: str) -> ColumnReference:
    if code.kind in NUMERIC:
        numbers = cells.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return of_numbers(code.name, code.kind, np.asarray(numbers, dtype=np.float64))
    return of_column(code.name, code.kind, cells.to_pylist(), dates)


def _target(signature: Signature) -> ColumnCode:
    if signature.regression:
        return ColumnCode(signature.target, ColumnKind.NUMBER)
    kinds = {bool: ColumnKind.BOOLEAN, int: ColumnKind.INTEGER, float: ColumnKind.NUMBER}
    return ColumnCode(signature.target, kinds.get(type(signature.classes[0]), ColumnKind.STRING))
