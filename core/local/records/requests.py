"""Requests in files: how they are kept, in which forms they are found, and how a question is put to them.

Segments hold a line of JSON a request. Merged files, `rec-….2.parquet`, hold the same in columns of their own kind:
times in whole microseconds, ids that are UUIDs or traces as 16 bytes, everything else in dictionaries; sorted by time,
so that a question reads the row groups of its window alone. Files of Slipway before 0.8 hold the lines' fields as they
were. Whatever a file's form, a question sees the columns of `SCHEMA`, and those of `NATIVE` that it is sought by.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from core.domain.errors import ServiceUnavailable
from core.domain.monitoring import MODEL_FAILED, Origin
from core.local.records import catalog
from core.ml.data.sql_paths import AS_IT_STANDS, each, literal, only

T = TypeVar("T")
Rows = list[tuple[Any, ...]]

SUFFIX = ".2.parquet"
ROW_GROUP = 20_480
"""Requests that are looked up by time, some here and some there, cost the reading of so many each."""
SCHEMA: Mapping[str, str] = {
    "at": "DOUBLE",
    "request_id": "VARCHAR",
    "client_request_id": "VARCHAR",
    "trace_id": "VARCHAR",
    "deployment": "VARCHAR",
    "status": "INTEGER",
    "rows": "BIGINT",
    "method": "VARCHAR",
    "form": "VARCHAR",
    "elapsed_ms": "DOUBLE",
    "run_ms": "DOUBLE",
    "bytes_in": "BIGINT",
    "bytes_out": "BIGINT",
    "problem": "VARCHAR",
    "mirrored": "BOOLEAN",
    "origin": "VARCHAR",
    "cause": "VARCHAR",
    "reasons": "VARCHAR",
    "live": "VARCHAR",
    "different_rows": "BIGINT",
    "difference_sum": "DOUBLE",
    "difference_max": "DOUBLE",
}
"""A record's fields; a later one goes to the end and is null in older files."""
UUID_TEXT = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TRACE_TEXT = "[0-9a-f]{32}"
IDS = {
    "request": ("request_id", UUID_TEXT),
    "client": ("client_request_id", UUID_TEXT),
    "trace": ("trace_id", TRACE_TEXT),
}
"""Each has two columns, `…_uuid` and `…_text`: what reads as the pattern says takes 16 bytes."""
NATIVE = ("at_us", "elapsed_us", "run_us", *(f"{name}_{form}" for name in IDS for form in ("uuid", "text")))
DISTANT_S = 9e12
"""No clock is so wrong that a request's time, in microseconds, is no whole number of 64 bits."""

SENDER = f"coalesce(nullif(origin, ''), '{Origin.CLIENT}')"
"""Records of before there were origins count as clients'."""
SERVER_ERROR = f"(status >= 500 OR status = {MODEL_FAILED})"
CLIENT_ERROR = f"(status BETWEEN 400 AND 499 AND NOT {SERVER_ERROR})"
LIVE = "mirrored IS DISTINCT FROM true"
"""Requests that somebody was answered."""

READ_TRIES = 1000
"""A file may be renamed or merged between listing and reading; then the folder is looked at anew. What Slipway 0.1
or a long time without the service left is merged without a pause, for seconds; a reader may be too slow each time."""
STUCK_MAX = 3
"""So often a folder that stays as it is and holds no damaged file may not be read."""


class Question:
    """A cursor that has the requests of a window, all origins' and mirrored ones too, as the view `requests`."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self._db = db

    def rows(self, statement: str) -> Rows:
        return self._db.execute(statement).fetchall()

    def arrays(self, statement: str) -> Mapping[str, Any]:
        """The answer's columns as arrays."""
        found: Mapping[str, Any] = self._db.execute(statement).fetchnumpy()
        return found


def ask(folder: Path, since: float, until: float, answer: Callable[[Question], T]) -> T:
    """What `answer` finds in the requests of [since, until); it may be begun anew. Raises ServiceUnavailable."""
    begin = f"CREATE TEMP VIEW requests AS SELECT * FROM ({{sources}}) WHERE {between(since, until)}"

    def asked(db: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> T:
        db.execute(begin.format(sources=sources(files, since, until)))
        return answer(Question(db))

    return over_files(folder, since, until, asked)


def over_files(
    folder: Path, since: float, until: float, answer: Callable[[duckdb.DuckDBPyConnection, Sequence[Path]], T]
) -> T:
    """As `ask`, from the files themselves; those that are damaged are left out, and told of once."""
    left_out: dict[Path, str] = {}
    problem: duckdb.Error | None = None
    stuck = 0
    for _ in range(READ_TRIES):
        found = catalog.look(folder).within(since, until)
        try:
            with database().cursor() as db:
                return answer(db, [path for path in found if path not in left_out])
        except duckdb.Error as e:
            problem = e
        if catalog.look(folder).within(since, until) != found:
            continue  # renamed or merged meanwhile
        damaged = unreadable(found)
        stuck += damaged.keys() <= left_out.keys()
        if stuck == STUCK_MAX:
            break
        left_out |= damaged
        for path, reason in damaged.items():
            catalog.say_once(f"{path} cannot be read and is left out: {reason}")
    raise ServiceUnavailable(f"The telemetry in {folder.name} cannot be read", hint=str(problem)) from problem


def between(since: float, until: float) -> str:
    """SQL for the times of a window, in the column that files are sorted by."""
    return f"at_us >= {_us(since)} AND at_us < {_us(until)}"


def sent_by(origin: Origin | None) -> str:
    """SQL for the requests of one origin, or of all."""
    if origin is Origin.CLIENT:
        return f"(origin IS NULL OR origin IN ('', '{origin.value}'))"  # half the time of SENDER
    return "true" if origin is None else f"origin = '{origin.value}'"


def write_parquet(files: Sequence[Path], target: Path) -> tuple[float, float, int]:
    """All requests of these files in one; when the first and the last began, and how many there are.

    Raises duckdb.Error for a file that cannot be read, and where nothing more can be written.
    """
    return write(sources(files), target)


def write(source: str, target: Path) -> tuple[float, float, int]:
    """As `write_parquet`, of what SQL gives with the columns of `SCHEMA` and `NATIVE`."""
    shared = [name for name in SCHEMA if name not in {"at", "elapsed_ms", "run_ms", *(n for n, _ in IDS.values())}]
    columns = ", ".join(f'"{name}"' for name in (*NATIVE, *shared))
    form = f"FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2, ROW_GROUP_SIZE {ROW_GROUP}"
    with database().cursor() as db:
        db.execute(f"COPY (SELECT {columns} FROM ({source}) ORDER BY at_us) TO {literal(str(target))} ({form})")
        told = db.execute(
            f"SELECT min(at_us), max(at_us), count(*) FROM read_parquet({only(target)}, {AS_IT_STANDS})"
        ).fetchone()
    first, last, rows = told or (None, None, 0)
    return (first / 1e6, last / 1e6, rows) if rows else (0.0, 0.0, 0)


def unreadable(files: Sequence[Path]) -> dict[Path, str]:
    """Those of these files that are there and cannot be read to their end, each with the reason."""
    found = {}
    with database().cursor() as db:
        for path in files:
            try:
                db.execute(f"SELECT sum(hash(COLUMNS(*))) FROM ({sources([path])})").fetchall()
            except duckdb.Error as e:
                if path.exists():
                    found[path] = str(e).splitlines()[0]
    return found


def sources(files: Sequence[Path], since: float = float("-inf"), until: float = float("inf")) -> str:
    """SQL for the requests in these files, each with all columns; those outside of the window may be left out."""
    ours = [path for path in files if path.name.endswith(SUFFIX)]
    older = [path for path in files if path.suffix == ".parquet" and path not in ours]
    lines = [path for path in files if path.suffix != ".parquet"]
    empty = "SELECT " + ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in SCHEMA.items()) + " WHERE false"
    parts = []
    if ours:
        parts.append(_from_native(f"SELECT * FROM read_parquet({each(ours)}, {AS_IT_STANDS}, union_by_name = true)"))
    if older:
        begun = f'isfinite("at") AND "at" >= \'{since}\'::DOUBLE AND "at" < \'{until}\'::DOUBLE'
        read = f"SELECT * FROM read_parquet({each(older)}, {AS_IT_STANDS}, union_by_name = true) WHERE {begun}"
        parts.append(_from_fields(f"{empty} UNION ALL BY NAME {read}"))
    if lines or not parts:
        parts.append(_from_fields(_lines(lines) if lines else empty))
    return " UNION ALL BY NAME ".join(parts)


def _from_native(read: str) -> str:
    made = {"at": "at_us / 1e6", "elapsed_ms": "elapsed_us / 1e3", "run_ms": "run_us / 1e3"}
    for name, (field, pattern) in IDS.items():
        told = f"{name}_uuid::VARCHAR" if pattern == UUID_TEXT else f"replace({name}_uuid::VARCHAR, '-', '')"
        made[field] = f"coalesce({told}, {name}_text)"
    return "SELECT *, " + ", ".join(f'{how} AS "{name}"' for name, how in made.items()) + f" FROM ({read})"


def _from_fields(read: str) -> str:
    made = {
        "at_us": 'round("at" * 1e6)::BIGINT',
        "elapsed_us": _whole("elapsed_ms"),
        "run_us": _whole("run_ms"),
    }
    for name, (field, pattern) in IDS.items():
        fits = f"regexp_full_match({field}, '{pattern}')"
        made[f"{name}_uuid"] = f"CASE WHEN {fits} THEN {field}::UUID END"
        made[f"{name}_text"] = f"CASE WHEN NOT {fits} THEN {field} END"
    known = ", ".join(f'"{name}"' for name in SCHEMA)
    added = ", ".join(f"{how} AS {name}" for name, how in made.items())
    return f'SELECT {known}, {added} FROM ({read}) WHERE isfinite("at") AND abs("at") < {DISTANT_S}'


def _whole(field: str) -> str:
    """Milliseconds as whole microseconds; null where there are none."""
    return f"CASE WHEN isfinite({field}) AND abs({field}) < 1e12 THEN round({field} * 1e3)::BIGINT END"


def _us(at: float) -> int:
    """A time in microseconds, or the last one that there is."""
    return round(max(-DISTANT_S, min(DISTANT_S, at)) * 1e6)


def _lines(files: Sequence[Path]) -> str:
    """A server that dies mid-write leaves a torn last line, which `ignore_errors` drops."""
    columns = ", ".join(f"\"{name}\": '{kind}'" for name, kind in SCHEMA.items())
    return (
        f"SELECT * FROM read_json({each(files)}, {AS_IT_STANDS}, format = 'newline_delimited', "
        f"columns = {{{columns}}}, ignore_errors = true)"
    )


@cache
def database() -> duckdb.DuckDBPyConnection:
    """In memory; to make it takes longer than most questions do. Each has a cursor, hence tables, of its own."""
    db = duckdb.connect()
    db.execute("SET threads = 1")
    return db
