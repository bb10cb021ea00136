"""A Parquet file asked column by column, by DuckDB, in bounded memory."""

# ruff: noqa: S608  # the SQL is made of our own names c0, c1, ... and of literals quoted here

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from core.domain.data import NUMERIC, ColumnKind
from core.ml.data.plain_cells import PlainCells
from core.ml.data.sql_paths import AS_IT_STANDS, only

EXACT_CELLS = 20_000_000
"""Quantiles and distinct counts are exact up to this many cells per query (about 160 MB of values), else sketches."""
BATCH_MAX = 100
"""Columns per query: DuckDB plans wider ones slowly."""
MELTED_MAX = 200
"""Columns per query that asks the same of each of them."""

_INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})
_NUMBERS = frozenset({"FLOAT", "DOUBLE", "UBIGINT", "HUGEINT", "UHUGEINT"})
_SQL_TYPE = {ColumnKind.INTEGER: "BIGINT", ColumnKind.BOOLEAN: "BOOLEAN", ColumnKind.STRING: "VARCHAR"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and the SQL of its cells cast to its kind: `c7::BIGINT`; its own name is never quoted."""

    name: str
    sql: str
    kind: ColumnKind

    @property
    def numeric(self) -> bool:
        return self.kind in NUMERIC


@dataclass(frozen=True, slots=True)
class Scan:
    """One table being looked through, as many columns at a time as fit in memory."""

    connection: duckdb.DuckDBPyConnection
    table: str
    rows: int
    columns: tuple[Column, ...]
    plain: PlainCells

    @property
    def exact(self) -> bool:
        """Whether distinct values and quantiles are counted rather than sketched."""
        return self.rows <= EXACT_CELLS // 10

    def one(self, expressions: Sequence[str]) -> tuple[Any, ...]:
        """The only row of a query without groups."""
        # Read to its end: DuckDB refuses another query beside one that is not.
        rows: list[tuple[Any, ...]] = self.connection.execute(
            f"SELECT {', '.join(expressions)} FROM {self.table}"
        ).fetchall()
        return rows[0]

    def batches(self, columns: Sequence[Column], most: int = BATCH_MAX) -> Iterator[Sequence[Column]]:
        """Groups of columns that fit in memory together, of at most `most`."""
        size = max(1, min(most, EXACT_CELLS // max(self.rows, 1)))
        yield from (columns[at : at + size] for at in range(0, len(columns), size))

    def each(self, asked: Mapping[Column, Sequence[str]]) -> Iterator[tuple[Column, list[Any]]]:
        """Each column with the values of the expressions asked of it; one pass over the table a batch."""
        for batch in self.batches(list(asked)):
            values = iter(self.one([e for column in batch for e in asked[column]]))
            for column in batch:
                yield column, list(islice(values, len(asked[column])))

    def melted(self, columns: Sequence[Column], beside: str = "NULL") -> str:
        """The SQL of a relation with a row for each cell: `k`, its column's place, `v`, its text, and `p`, `beside`.

        What is asked of every column is then said once: DuckDB's time for planning grows as the square of what is said.
        """
        texts = ", ".join(f"{column.sql}::VARCHAR" for column in columns)
        places = list(range(len(columns)))
        return f"(SELECT {beside} AS p, unnest({places}) AS k, unnest([{texts}]) AS v FROM {self.table})"

    def cells(self, columns: Sequence[Column]) -> "dict[Column, pa.ChunkedArray]":
        """All cells of the columns, in the rows' order; without a query where they need no cast."""
        read = self.plain.read((column.name, column.kind) for column in columns)
        found = {column: read[column.name, column.kind] for column in columns if (column.name, column.kind) in read}
        if rest := [column for column in columns if column not in found]:
            asked = ", ".join(f"{column.sql} AS v{at}" for at, column in enumerate(rest))
            table = self.connection.sql(f"SELECT {asked} FROM {self.table}").to_arrow_table()
            found.update(zip(rest, table.columns, strict=True))
        return found


def _config(parquet: Path) -> dict[str, str | bool | int | float | list[str]]:
    """No look-up of extensions on the network; what does not fit in memory goes beside the table, not to the cwd."""
    return {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": "1GB",
        "temp_directory": f"{parquet}.spill",
    }


@contextmanager
def open_scan(parquet: Path) -> Iterator[Scan]:
    """The table, until the block ends, its columns called c0, c1, .... A view would bind all of them each time."""
    table = f"read_parquet({only(parquet)}, {AS_IT_STANDS})"
    with duckdb.connect(config=_config(parquet)) as connection:
        connection.execute("SET parquet_metadata_cache = true")  # half the time of a query over 1,000 columns
        columns = []
        for i, (name, sql_type, *_) in enumerate(connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()):
            kind = _kind(str(sql_type))
            columns.append(Column(name, cast(f"c{i}", kind), kind))
        ((rows,),) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
        named = f"{table} AS t({', '.join(f'c{i}' for i in range(len(columns)))})"
        plain = PlainCells(parquet, lambda: [column.name for column in columns])
        try:
            yield Scan(connection, named, rows, tuple(columns), plain)
        finally:
            plain.close()


def _kind(sql_type: str) -> ColumnKind:
    if sql_type in _INTEGERS:
        return ColumnKind.INTEGER
    if sql_type in _NUMBERS or sql_type.startswith("DECIMAL"):
        return ColumnKind.NUMBER
    return ColumnKind.BOOLEAN if sql_type == "BOOLEAN" else ColumnKind.STRING


def cast(cell: str, kind: ColumnKind) -> str:
    """The SQL of a cell as its column's kind; a number that is not finite is missing."""
    if kind is ColumnKind.NUMBER:
        return f"(CASE WHEN isfinite({cell}::DOUBLE) THEN {cell}::DOUBLE END)"
    return f"{cell}::{_SQL_TYPE[kind]}"
