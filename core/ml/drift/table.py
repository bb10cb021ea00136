"""The reference of a model from the table that it learned from."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from core.domain.data import NUMERIC, ColumnKind
from core.domain.signature import Signature
from core.ml.data.table import open_table
from core.ml.drift.reference import ColumnReference, Reference, of_column, of_numbers
from core.predict.arrays import Array
from core.predict.encoder import ColumnCode, Encoder

ROWS_MAX = 200_000
"""Of more rows, one in so many is taken: these are enough to see any drift that matters."""
COLUMNS_MAX = 50
"""Are held at once."""
SCORE = ""
"""The name of the score among the columns."""


def reference_of(
    table: Path,
    rows: int,
    signature: Signature,
    encoder: Encoder,
    scores: Array | None = None,
    importance: Mapping[str, float] | None = None,
) -> Reference:
    """What the rows of the table were like of which the target is known.

    `rows` is about how many it has; `scores` are of rows by models that never saw them, in any order.
    """
    dates = {code.name: code.dates for code in encoder.codes if code.dates}
    codes = [ColumnCode(column.name, column.kind) for column in signature.used]
    columns = []
    with open_table(table) as opened:
        for some in (codes[at : at + COLUMNS_MAX] for at in range(0, len(codes), COLUMNS_MAX)):
            cells = opened.read(some, _target(signature), -(-max(1, rows) // ROWS_MAX))
            columns += [_of_cells(code, cells.column(at), dates.get(code.name, "")) for at, code in enumerate(some)]
    score = None if scores is None else of_numbers(SCORE, ColumnKind.NUMBER, scores)
    return Reference(tuple(columns), score, dict(importance or {}))


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
