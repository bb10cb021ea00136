"""The Parquet file as the learners see it: cells cast to the profile's kinds, coded as the server will code them."""

# ruff: noqa: S608  # the SQL is made of our own names c0, c1, ... and of a quoted path

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.domain.data import ColumnKind
from core.domain.metrics import TaskKind
from core.domain.signature import Scalar
from core.ml.data.plain_cells import PlainCells
from core.ml.data.scan import BATCH_MAX, cast
from core.ml.data.sql_paths import AS_IT_STANDS, only
from core.ml.task import LearningProblem, Rows, Target
from core.predict.dates import parts_of
from core.predict.encoder import ColumnCode, Encoder
from core.predict.members import Array

PLACE = "file_row_number"
"""The column that DuckDB adds where it is asked to."""


class Table:
    """Columns of one Parquet file by their exact names; close it, or use `open_table`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, parquet: Path) -> None:
        self._connection = connection
        file = f"{only(parquet)}, {AS_IT_STANDS}"
        described = f"DESCRIBE SELECT * FROM read_parquet({file})"
        self._plain = PlainCells(parquet, lambda: [str(name) for name, *_ in connection.execute(described).fetchall()])
        self._sql = {name: f"c{i}" for i, name in enumerate(self._plain.names)}
        self._places: dict[str, Any] = {}
        """Of the rows that were asked for: to plan that query takes long where there are thousands of columns."""
        columns, placed = ", ".join(self._sql.values()), f"SELECT * FROM read_parquet({file}, {PLACE}=true)"
        if PLACE in map(str.casefold, self._plain.names):  # DuckDB refuses to add a second one; to count takes longer
            placed = f"SELECT *, row_number() OVER () - 1 FROM read_parquet({file})"
        self._from = f"({placed}) AS t({columns}, place)"

    def close(self) -> None:
        """Let go of the file."""
        self._plain.close()

    def counts(self, column: str, kind: ColumnKind, limit: int) -> list[tuple[Scalar, int]]:
        """The `limit` most frequent values with their rows, most frequent first."""
        query = f"SELECT {self._cell(column, kind)} AS v, count(*) AS n FROM {self._from} WHERE v IS NOT NULL"
        return self._connection.execute(f"{query} GROUP BY v ORDER BY n DESC, v LIMIT {limit}").fetchall()

    def middle(self, column: str, kind: ColumnKind, which: str) -> float:
        """The mean or the median of a column of numbers, by that name; 0 where it has none."""
        aggregate = {"mean": "avg", "median": "median"}[which]
        if kind is ColumnKind.BOOLEAN:  # of which DuckDB has no mean
            kind = ColumnKind.NUMBER
        query = f"SELECT {aggregate}(v) FROM (SELECT {self._cell(column, kind)} AS v FROM {self._from})"
        found = self._connection.execute(query).fetchone()
        return float(found[0]) if found and found[0] is not None else 0.0

    def read(self, codes: Sequence[ColumnCode], target: ColumnCode, every: int = 1) -> "pa.Table":
        """The columns of `codes` and last the target, in row order, where the target is known; one in `every` rows."""
        asked = [*((c.name, _kind(c)) for c in codes), (target.name, target.kind)]
        # By hash, since every other row of a table can be of one class.
        some = f"hash(place) % {every} = 0" if every > 1 else "true"
        rows = f"{self._from} WHERE {self._cell(target.name, target.kind)} IS NOT NULL AND {some} ORDER BY place"
        if rows not in self._places:
            self._places[rows] = self._known(target) if every == 1 else None
        if self._places[rows] is None:
            self._places[rows] = self._connection.sql(f"SELECT place FROM {rows}").fetchnumpy()["place"]
        found = self._plain.read(asked, self._places[rows])
        rest = [cell for cell in dict.fromkeys(asked) if cell not in found]
        for some_of_them in (rest[at : at + BATCH_MAX] for at in range(0, len(rest), BATCH_MAX)):
            cells = [f"{self._cell(*cell)} AS v{i}" for i, cell in enumerate(some_of_them)]
            read = self._connection.sql(f"SELECT {', '.join(cells)} FROM {rows}").to_arrow_table()
            found.update(zip(some_of_them, read.columns, strict=True))
        return pa.table([found[cell] for cell in asked], names=[f"v{i}" for i in range(len(asked))])

    def _known(self, target: ColumnCode) -> Any:
        """The places of the rows in which a plain target is known; None where it is not plain."""
        found = self._plain.read([(target.name, target.kind)])
        return next((np.flatnonzero(cells.is_valid().to_numpy()) for cells in found.values()), None)

    def _cell(self, name: str, kind: ColumnKind) -> str:
        return cast(self._sql[name], kind)


@contextmanager
def open_table(parquet: str | Path, *, threads: int = 1) -> Iterator[Table]:
    """The table, until the block ends. Nothing is fetched from the network."""
    config: dict[str, Any] = {"threads": threads, "autoinstall_known_extensions": False}
    with duckdb.connect(config=config) as connection:
        table = Table(connection, Path(parquet))
        try:
            yield table
        finally:
            table.close()


def read_judged(problem: LearningProblem, *, threads: int = 1) -> tuple[Rows, int]:
    """The rows of the table, then those of the validation table, and how many these are."""
    own = read_training(problem, threads=threads)
    if not problem.validation_table:
        return own, 0
    # Whole numbers of the table may be broken ones here.
    codes = tuple(replace(c, kind=ColumnKind.NUMBER) if c.kind is ColumnKind.INTEGER else c for c in problem.codes)
    other = read_training(replace(problem, table=problem.validation_table, codes=codes), threads=threads)
    matrix, target = (np.concatenate(pair) for pair in zip(own, other, strict=True))
    return (matrix, target), len(other[1])


def read_training(problem: LearningProblem, *, threads: int = 1, rows_max: int = 0) -> Rows:
    """The encoded matrix and the target of the rows in which it is known; evenly thinned above `rows_max`."""
    target = target_code(problem)
    every = -(-problem.rows // rows_max) if rows_max else 1
    with open_table(problem.table, threads=threads) as table:
        cells = table.read(problem.codes, target, every)
    matrix = np.empty((len(cells), len(problem.codes)))
    for at, code in enumerate(problem.codes):
        matrix[:, at] = _coded(cells.column(at), code)
    return Encoder(problem.codes).finish(matrix), _target(problem, cells.column(-1), target.kind)


def _target(problem: LearningProblem, cells: "pa.ChunkedArray", kind: ColumnKind) -> Target:
    if problem.kind is TaskKind.REGRESSION:
        return np.asarray(cells.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    wanted = pa.array([_plain(c, kind) for c in problem.signature.classes], cells.type)
    return np.asarray(pc.index_in(cells, value_set=wanted).to_numpy().astype(np.int64))


def target_code(problem: LearningProblem) -> ColumnCode:
    """The target as a column: its kind follows from the classes, and is a number where there are none."""
    if problem.kind is TaskKind.REGRESSION:
        return ColumnCode(problem.signature.target, ColumnKind.NUMBER)
    first = problem.signature.classes[0]
    kinds = {str: ColumnKind.STRING, bool: ColumnKind.BOOLEAN, int: ColumnKind.INTEGER, float: ColumnKind.NUMBER}
    return ColumnCode(problem.signature.target, kinds[type(first)])


def _plain(value: Scalar, kind: ColumnKind) -> Scalar:
    return float(value) if kind is ColumnKind.NUMBER else value


def _kind(code: ColumnCode) -> ColumnKind:
    """What a cell is read as; a part of a date is a number made of text."""
    if code.part:
        return ColumnKind.STRING
    return ColumnKind.NUMBER if code.numbers else code.kind


def _coded(cells: "pa.ChunkedArray", code: ColumnCode) -> Array:
    if code.part:
        words = cells.combine_chunks().dictionary_encode()
        parts = parts_of([*words.dictionary.to_pylist(), None], code.dates, [code.part])[:, 0]
        places = words.indices.fill_null(len(parts) - 1).to_numpy(zero_copy_only=False)
        return np.asarray(parts[places])
    if code.kind is ColumnKind.STRING:
        known = [float(level) for level in code.levels] if code.numbers else list(code.levels)
        cells = pc.add(cells, 0.0) if code.numbers else cells  # to Arrow, -0.0 is none of the levels, to Python it is 0
        cells = pc.index_in(cells, value_set=pa.array(known, cells.type), skip_nulls=True)
    numbers = cells.cast(pa.float64(), safe=False)
    return np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
