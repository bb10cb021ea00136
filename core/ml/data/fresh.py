"""Rows on which models may be compared: those that none was trained on, as each model reads them."""

# ruff: noqa: S608  # the SQL is made of our own names c0, c1, ...

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.domain.data import NUMERIC, ColumnKind
from core.domain.signature import Scalar, Signature
from core.ml.data.content import cell_text, row_keys
from core.ml.data.scan import Column, open_scan
from core.ml.task import Labels
from core.predict.members import Array

Mask = npt.NDArray[np.bool_]
Cells = Sequence[Sequence[Any]]

CHUNK_CELLS = 200_000
UNKNOWN = -1


def seen(table: Path, trained: Path, columns: Collection[str]) -> Mask:
    """Which rows of a table stand in another, by the values of those of `columns` that both have.

    Where they share none of them, nothing tells rows apart, and every row counts as seen.
    """
    with open_scan(table) as ours, open_scan(trained) as theirs:
        shared = {c.name for c in ours.columns} & {c.name for c in theirs.columns} & set(columns)
        if not shared:
            return np.ones(ours.rows, dtype=bool)
        own, other = (row_keys(scan, [c for c in scan.columns if c.name in shared]) for scan in (ours, theirs))
        return np.isin(own, other)


def classes_of(table: Path, target: str, classes: Sequence[Scalar]) -> Labels:
    """The class of each row by its place in `classes`, or `UNKNOWN` where it is missing or none of them."""
    with open_scan(table) as scan:
        goal = next(column for column in scan.columns if column.name == target)
        values = scan.connection.cursor().sql(f"SELECT {cell_text(goal)} FROM {scan.table}").to_arrow_table().column(0)
    places = pc.index_in(values, value_set=pa.array(map(_text, classes), values.type), skip_nulls=True)
    return np.asarray(places.fill_null(UNKNOWN).to_numpy(), dtype=np.int64)


def numbers_of(table: Path, target: str) -> Array:
    """The target of each row as a number; NaN where it is missing or none."""
    with open_scan(table) as scan:
        goal = next(column for column in scan.columns if column.name == target)
        wanted = f"TRY_CAST({cell_text(goal)} AS DOUBLE)"
        found = scan.connection.cursor().sql(f"SELECT {wanted} FROM {scan.table}").to_arrow_table().column(0)
    return np.asarray(found.to_numpy(), dtype=np.float64)


def cells(table: Path, signature: Signature, wanted: Mask) -> Iterator[Cells]:
    """The wanted rows in chunks, as a predictor takes them: one sequence per column that the model reads."""
    rows = max(1, CHUNK_CELLS // len(signature.used))
    with open_scan(table) as scan:
        known: Mapping[str, Column] = {column.name: column for column in scan.columns}
        values = ", ".join(_read_as(known[c.name], c.kind) for c in signature.used)
        own = scan.connection.cursor()  # that of the scan has not read its last answer to the end
        reader = own.sql(f"SELECT {values} FROM {scan.table}").to_arrow_reader(rows)
        at = 0
        for batch in reader:
            some = batch.filter(wanted[at : at + len(batch)])
            at += len(batch)
            if len(some):
                yield [column.to_pylist() for column in some.columns]


def _read_as(column: Column, kind: ColumnKind) -> str:
    """The SQL of a cell in the kind that a model knows; what is no such value is missing."""
    if kind is ColumnKind.STRING:
        return cell_text(column)
    if kind in NUMERIC:
        number = f"TRY_CAST({column.sql} AS DOUBLE)"
        return f"CASE WHEN isfinite({number}) THEN {number} END"
    return f"TRY_CAST({column.sql} AS BOOLEAN)"


def _text(value: Scalar) -> str:
    """A class as `cell_text` writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
