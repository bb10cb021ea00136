"""Columns of a Parquet file that need no cast, read without a query: DuckDB plans one over thousands of them slowly."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.domain.data import ColumnKind

CELLS_AT_ONCE = 20_000_000
"""Some of the rows are chosen before more columns are read: all cells of a long table would not fit in memory."""

Cell = tuple[str, ColumnKind]
"""A column's name, and what its cells are read as."""

_INTEGERS = (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32())
_PLAIN: Mapping[ColumnKind, frozenset[pa.DataType]] = {
    ColumnKind.NUMBER: frozenset((pa.float32(), pa.float64(), *_INTEGERS)),
    ColumnKind.INTEGER: frozenset(_INTEGERS),
    ColumnKind.BOOLEAN: frozenset((pa.bool_(),)),
    ColumnKind.STRING: frozenset((pa.string(), pa.large_string())),
}
_READ_AS = {
    ColumnKind.NUMBER: pa.float64(),
    ColumnKind.INTEGER: pa.int64(),
    ColumnKind.BOOLEAN: pa.bool_(),
    ColumnKind.STRING: pa.string(),
}


class PlainCells:
    """The columns of a file by their names."""

    def __init__(self, parquet: Path, ask: Callable[[], Sequence[str]]) -> None:
        """`ask` gives the names by which DuckDB knows the columns: it gives one that occurs twice another name."""
        self._file = pq.ParquetFile(parquet)
        schema = self._file.schema_arrow
        own, flat = schema.names, not any(pa.types.is_nested(kind) for kind in schema.types)
        # To ask takes long where there are thousands, and is only needed where DuckDB may call them otherwise.
        self.names = own if flat and all(own) and len({n.casefold() for n in own}) == len(own) else list(ask())
        self._types = dict(zip(own, schema.types, strict=True)) if flat and self.names == own else {}

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def read(self, asked: Iterable[Cell], places: npt.NDArray[np.int64] | None = None) -> "dict[Cell, pa.ChunkedArray]":
        """Those of the cells that are plain, in the rows at these places (ascending), or in all."""
        plain = [(n, kind) for n, kind in dict.fromkeys(asked) if self._types.get(n) in _PLAIN[kind]]
        rows = self._file.metadata.num_rows
        columns = max(1, CELLS_AT_ONCE // max(1, rows))
        take = None if places is None or len(places) == rows else pa.array(places)
        return {
            cell: column
            for at in range(0, len(plain), columns)
            for cell, column in self._some(plain[at : at + columns], take)
        }

    def _some(self, cells: Sequence[Cell], take: "pa.Array | None") -> "Iterator[tuple[Cell, pa.ChunkedArray]]":
        table = self._file.read(columns=list(dict.fromkeys(name for name, _ in cells)), use_threads=False)
        for name, kind in cells:
            column = table.column(name)
            if take is not None:
                column = column.take(take)
            yield (name, kind), _cast(column, kind)


def _cast(column: "pa.ChunkedArray", kind: ColumnKind) -> "pa.ChunkedArray":
    """As `scan.cast` does; a number that is not finite is missing."""
    column = column.cast(_READ_AS[kind], safe=False)
    if kind is ColumnKind.NUMBER:
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, pa.float64()))
    return column
