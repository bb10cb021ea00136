"""Requests of a window, summed: by interval, deployment, sender, status and latency.

Latencies are exact where the window holds few requests, and otherwise the middles of the bins of `minutes`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from core.domain.monitoring import MODEL_FAILED
from core.local.records import minutes, requests
from core.local.records.minutes import HOUR_S, MINUTE_S
from core.ml.data.sql_paths import AS_IT_STANDS, each

QUANTILES = (0.5, 0.95, 0.99)

Figures = tuple[int, int, int, int, float | None, float | None, float | None]
"""Requests, rows, client and server errors, p50, p95 and p99 in milliseconds."""
NOTHING: Figures = (0, 0, 0, 0, None, None, None)


@dataclass(frozen=True, slots=True)
class Window:
    """[since, until) in `buckets` intervals of the same width."""

    since: float
    until: float
    buckets: int

    @property
    def width_s(self) -> float:
        return (self.until - self.since) / self.buckets

    def bucket(self, at: str) -> str:
        """SQL for the interval that a time is in."""
        return f"least(floor(({at} - {self.since!r}) / {self.width_s!r}), {self.buckets - 1})::INTEGER AS bucket"


class Cells:
    """Columns of the same length: bucket, deployment, sender, status, mirrored, us, n and rows.

    Of texts a column holds only the place in `names`.
    """

    def __init__(self, columns: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> None:
        self._columns, self._names = columns, names

    def __len__(self) -> int:
        return len(self._columns["n"])

    def where(self, name: str, value: Any) -> "Cells":
        """Those with this value in a column."""
        told = self._names.get(name)
        wanted = value if told is None else told.index(value) if value in told else -1
        taken = self._columns[name] == wanted
        return Cells({key: column[taken] for key, column in self._columns.items()}, self._names)

    def by(self, name: str) -> Iterator[tuple[Any, "Cells"]]:
        """One for each value of a column, in its order."""
        if not len(self):
            return
        order = np.argsort(self._columns[name], kind="stable")
        ordered = {key: column[order] for key, column in self._columns.items()}
        values, starts = np.unique(ordered[name], return_index=True)
        told = self._names.get(name)
        for value, start, end in zip(values.tolist(), starts, [*starts[1:], len(order)], strict=True):
            found = Cells({key: column[start:end] for key, column in ordered.items()}, self._names)
            yield (value if told is None else told[value]), found

    def counts(self, name: str) -> dict[Any, int]:
        """How many requests have each value of a column."""
        return {value: cells.requests for value, cells in self.by(name)}

    @cached_property
    def requests(self) -> int:
        return int(self._columns["n"].sum())

    @cached_property
    def figures(self) -> Figures:
        if not len(self):
            return NOTHING
        n, status = self._columns["n"], self._columns["status"]
        server = (status >= 500) | (status == MODEL_FAILED)
        client = (status >= 400) & (status < 500) & ~server
        p50, p95, p99 = self._quantiles()
        return (
            self.requests,
            int(self._columns["rows"].sum()),
            int(n[client].sum()),
            int(n[server].sum()),
            p50,
            p95,
            p99,
        )

    def _quantiles(self) -> list[float]:
        """In milliseconds, between two requests where the rank is."""
        order = np.argsort(self._columns["us"], kind="stable")
        values, summed = self._columns["us"][order], np.cumsum(self._columns["n"][order])
        found = []
        for rank in (q * (int(summed[-1]) - 1) for q in QUANTILES):
            low, high = (values[np.searchsorted(summed, r, side="right")] for r in (math.floor(rank), math.ceil(rank)))
            found.append(float(low + (high - low) * (rank - math.floor(rank))) / 1e3)
        return found


def exactly(folder: Path, window: Window) -> Cells:
    """From every request of the window. Raises ServiceUnavailable."""

    def summed(db: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> Cells:
        taken, bucket = requests.sources(files, window.since, window.until), window.bucket('"at"')
        return _fetched(
            db,
            f"SELECT {bucket}, {minutes.KIND}, coalesce(elapsed_us, 0)::DOUBLE AS us, {minutes.COUNTED} "
            f"FROM ({taken}) WHERE {requests.between(window.since, window.until)} GROUP BY ALL",
        )

    return requests.over_files(folder, window.since, window.until, summed)


def by_the_minute(folder: Path, window: Window) -> Cells:
    """From sums, to the minute: one that begins in the window is in it. What has no sums is summed up here."""
    hourly = window.width_s % HOUR_S == 0 and window.since % HOUR_S == 0
    span_s = HOUR_S if hourly else MINUTE_S
    first, last = math.ceil(window.since / MINUTE_S), math.ceil(window.until / MINUTE_S)
    bucket = window.bucket(f'"minute" * {float(MINUTE_S)}')

    def summed(db: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> Cells:
        have = [path for path in files if path.name.endswith(requests.SUFFIX) and minutes.beside(path).exists()]
        raw = [path for path in files if path not in have]
        begun = requests.between(first * MINUTE_S, last * MINUTE_S)
        source = f"SELECT * FROM ({requests.sources(raw, window.since, last * MINUTE_S)}) WHERE {begun}"
        taken = minutes.summed(source, span_s)
        if have:
            sums = f"read_parquet({each([minutes.beside(path) for path in have])}, {AS_IT_STANDS})"
            taken += f" UNION ALL BY NAME SELECT * FROM {sums} WHERE span_s = {span_s}"
        return _fetched(
            db,
            f"SELECT {bucket}, deployment, sender, status, mirrored, exp(bin / {float(minutes.BINS_PER_E)}) AS us, "
            f'sum(n)::BIGINT AS n, sum("rows")::BIGINT AS "rows" FROM ({taken}) '
            f'WHERE "minute" >= {first} AND "minute" < {last} GROUP BY ALL',
        )

    return requests.over_files(folder, window.since, last * MINUTE_S, summed)


def _fetched(db: duckdb.DuckDBPyConnection, statement: str) -> Cells:
    """Texts are numbered on the way: as objects they would take most of the time."""
    db.execute(f"CREATE OR REPLACE TEMP TABLE cells AS {statement}")
    columns = {name: f'"{name}"' for name in ("bucket", "status", "mirrored", "us", "n", "rows")}
    names = {}
    for name in ("deployment", "sender"):
        sorted_names = f"(SELECT list(DISTINCT {name} ORDER BY {name}) FROM cells)"
        names[name] = (db.execute(f"SELECT {sorted_names}").fetchall()[0][0]) or []
        columns[name] = f"(list_position({sorted_names}, {name}) - 1)::INTEGER"
    asked = ", ".join(f'{how} AS "{name}"' for name, how in columns.items())
    found = db.execute(f"SELECT {asked} FROM cells").fetchnumpy()
    return Cells({name: np.ma.filled(column) for name, column in found.items()}, names)
