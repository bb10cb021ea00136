"""What stands in a row, as one number: the same for the same row in every version of a table, and in every run."""

# ruff: noqa: S608  # the SQL is made of our own names c0, c1, ... and of digests

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from core.domain.data import ColumnKind
from core.ml.data.scan import BATCH_MAX, Column, Scan, open_scan

Keys = npt.NDArray[np.uint64]

PARTS = 1_000_000
CHUNK_CELLS = 2_500_000
MIX = np.uint64(0x9E3779B97F4A7C15)
"""Odd, hence nothing is lost when a number is multiplied by it."""


def cell_text(column: Column) -> str:
    """The SQL of a cell as text, by its value: 1, 1.0 and '1' are one value; a missing cell is NULL."""
    if column.kind is ColumnKind.STRING:
        return column.sql
    cell = f"({column.sql})"
    if column.kind is not ColumnKind.NUMBER:
        return f"{cell}::VARCHAR"
    whole = f"CASE WHEN abs({cell}) < 9e18 AND {cell} = trunc({cell}) THEN {cell}::BIGINT::VARCHAR END"
    return f"coalesce({whole}, {cell}::VARCHAR)"


def row_keys(scan: Scan, columns: Sequence[Column]) -> Keys:
    """A number for each row, in order: rows have the same that have the same values under the same names.

    The order of the columns does not matter. MD5, since it is the same on every machine and in every release of DuckDB;
    nothing depends on its strength. Eight bytes a row are held in memory.
    """
    named = sorted((hashlib.sha256(c.name.encode()).hexdigest()[:16], cell_text(c)) for c in columns)
    keys = np.zeros(scan.rows, dtype=np.uint64)
    for start in range(0, len(named), BATCH_MAX):
        # Each value with its name and its length, so that no two rows are written alike; a missing one is left out.
        cells = ", ".join(f"'{name}:' || strlen({text}) || ':' || {text}" for name, text in named[start:][:BATCH_MAX])
        found = scan.connection.execute(f"SELECT md5_number_lower(concat_ws(';', {cells})) AS k FROM {scan.table}")
        keys *= MIX
        keys += np.asarray(found.fetchnumpy()["k"], dtype=np.uint64)
    return keys


def split(table: Path, rest: Path, held_out: Path, held_out_pct: float) -> tuple[int, int]:
    """Write each row of a table to one of two, in its own order; the rows of both.

    Which one follows from what stands in the row alone: it is there in every version of the table, its duplicates are
    too, and what is held out at 10 % is also at 20 %.
    """
    with open_scan(table) as scan:
        drawn = row_keys(scan, scan.columns) % PARTS < round(held_out_pct / 100 * PARTS)
    with pq.ParquetFile(table) as source:
        rows = max(2_048, min(122_880, CHUNK_CELLS // len(source.schema_arrow)))
        with _writer(rest, source) as left, _writer(held_out, source) as out:
            at = 0
            for batch in source.iter_batches(rows):
                some = drawn[at : at + len(batch)]
                left.write_batch(batch.filter(pa.array(~some)))
                out.write_batch(batch.filter(pa.array(some)))
                at += len(batch)
    return int((~drawn).sum()), int(drawn.sum())


def _writer(parquet: Path, like: pq.ParquetFile) -> pq.ParquetWriter:
    return pq.ParquetWriter(parquet, like.schema_arrow, compression="zstd")
