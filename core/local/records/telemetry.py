"""What the scoring servers recorded: DuckDB over those files of an endpoint's folder that a question needs."""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from core.domain.errors import ServiceUnavailable
from core.domain.monitoring import (
    MODEL_FAILED,
    DeploymentTraffic,
    Origin,
    RequestRecord,
    TelemetryBucket,
    TelemetrySummary,
)
from core.local.records import catalog
from core.ml.data.sql_paths import AS_IT_STANDS, each, literal, only

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
}
"""A record's columns; a later one goes to the end and is null in older files."""

READ_TRIES = 1000
"""A file may be renamed or merged between listing and reading; then the folder is looked at anew. What Slipway 0.1
or a long time without the service left is merged without a pause, for seconds; a reader may be too slow each time."""
STUCK_MAX = 3
"""So often a folder that stays as it is and holds no damaged file may not be read."""
SPAN_S, WIDER = 60.0, 8
"""The newest requests are looked for in the last minute first, then in a time so many times as long, and so on."""

SENDER = f"coalesce(nullif(origin, ''), '{Origin.CLIENT}')"
"""Records of before there were origins count as clients'."""
PERCENTILES = "quantile_cont(elapsed_ms, [0.5, 0.95, 0.99])"
TOTALS = f'SELECT count(*), coalesce(sum("rows"), 0), {PERCENTILES} FROM r'
BY_STATUS = "SELECT status, count(*) FROM r GROUP BY status ORDER BY status"
BY_ORIGIN = "SELECT sender, count(*) FROM everybody GROUP BY sender ORDER BY sender"
SERVER_ERROR = f"(status >= 500 OR status = {MODEL_FAILED})"
FIGURES = f"""count(*), coalesce(sum("rows"), 0), count(*) FILTER (status BETWEEN 400 AND 499 AND NOT {SERVER_ERROR}),
count(*) FILTER ({SERVER_ERROR}), {PERCENTILES}"""
BY_DEPLOYMENT = f"SELECT deployment, {FIGURES} FROM r WHERE deployment != '' GROUP BY deployment ORDER BY deployment"
BY_BUCKET = f"SELECT bucket, {FIGURES} FROM r GROUP BY bucket"
COUNTED = f'deployment, status, "rows", elapsed_ms, {SENDER} AS sender'
NOTHING = (0, 0, 0, 0, None)
"""What `FIGURES` would give of no request."""
LISTED = '"at", request_id, deployment, status, "rows", elapsed_ms, bytes_in, bytes_out'


def summary(
    endpoint: str,
    folder: Path,
    since: float,
    until: float,
    buckets: int,
    *,
    origin: Origin | None = Origin.CLIENT,
) -> TelemetrySummary:
    """Totals, percentiles and `buckets` intervals of [since, until) for one origin, or all (None).

    Mirrored requests do not count.
    """
    width_s = (until - since) / buckets
    bucket = f'least(floor(("at" - {since!r}) / {width_s!r})::BIGINT, {buckets - 1}) AS bucket'
    begin = f"CREATE TEMP TABLE everybody AS SELECT {COUNTED}, {bucket} FROM requests"
    ours = "CREATE TEMP VIEW r AS SELECT * FROM everybody" + (f" WHERE sender = '{origin.value}'" if origin else "")
    statements = (begin, ours, TOTALS, BY_STATUS, BY_DEPLOYMENT, BY_BUCKET, BY_ORIGIN)
    _, _, totals, status, deployments, intervals, senders = _query(folder, (since, until), None, *statements)
    requests, rows, percentiles = totals[0]
    p50, p95, p99 = percentiles or (None, None, None)
    found = {row[0]: row[1:] for row in intervals}
    return TelemetrySummary(
        endpoint=endpoint,
        since=since,
        until=until,
        requests=requests,
        rows=int(rows),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        by_status=dict(status),
        by_deployment={name: DeploymentTraffic(*_figures(row)) for name, *row in deployments},
        by_origin=dict(senders),
        buckets=tuple(
            TelemetryBucket(since + i * width_s, width_s, *_figures(found.get(i, NOTHING))) for i in range(buckets)
        ),
    )


def newest(
    folder: Path, limit: int, *, until: float = math.inf, origin: Origin | None = Origin.CLIENT
) -> tuple[RequestRecord, ...]:
    """The last `limit` requests before `until` of one origin, or of all (None), newest first."""
    found = catalog.look(folder)
    latest, span_s = min(found.newest, until), SPAN_S
    while True:
        since = latest - span_s if latest - span_s > found.oldest else -math.inf
        listed = f'SELECT {LISTED}, {SENDER} FROM requests ORDER BY "at" DESC LIMIT {int(limit)}'
        (rows,) = _query(folder, (since, until), origin, listed)
        if len(rows) >= limit or since == -math.inf:
            return tuple(RequestRecord(*row) for row in rows)
        span_s *= WIDER


def write_parquet(files: Sequence[Path], target: Path) -> tuple[float, float, int]:
    """All requests of these files in one; when the first and the last began, and how many there are.

    Raises duckdb.Error for a file that cannot be read, and where nothing more can be written.
    """
    written = f"read_parquet({only(target)}, {AS_IT_STANDS})"
    with _database().cursor() as db:
        db.execute(f"COPY ({sources(files)}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)")
        told = db.execute(f'SELECT min("at"), max("at"), count(*) FROM {written}').fetchone()
    first, last, rows = told or (None, None, 0)
    return (first, last, rows) if rows else (0.0, 0.0, 0)


def unreadable(files: Sequence[Path]) -> dict[Path, str]:
    """Those of these files that are there and cannot be read to their end, each with the reason."""
    found = {}
    with _database().cursor() as db:
        for path in files:
            try:
                db.execute(f"SELECT sum(hash(COLUMNS(*))) FROM ({sources([path])})").fetchall()
            except duckdb.Error as e:
                if path.exists():
                    found[path] = str(e).splitlines()[0]
    return found


def sources(files: Sequence[Path]) -> str:
    """SQL for the requests in these files, each with all columns."""
    empty = "SELECT " + ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in SCHEMA.items()) + " WHERE false"
    known = ", ".join(f'"{name}"' for name in SCHEMA)
    parquet = [path for path in files if path.suffix == ".parquet"]
    lines = [path for path in files if path.suffix != ".parquet"]
    parts = [empty]
    if parquet:
        parts.append(f"SELECT * FROM read_parquet({each(parquet)}, {AS_IT_STANDS}, union_by_name = true)")
    if lines:
        parts.append(_lines(lines))
    return f'SELECT {known} FROM ({" UNION ALL BY NAME ".join(parts)}) WHERE isfinite("at")'


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """In memory; to make it takes longer than most questions do. Each has a cursor, hence tables, of its own."""
    db = duckdb.connect()
    db.execute("SET threads = 1")
    return db


def aligned(now: float, window_s: float, buckets: int) -> tuple[float, float]:
    """About the last `window_s` seconds as whole intervals, in the newest of which is `now`: from when until when.

    The edges are multiples of an interval's width, whenever it is asked: two looks put a request into the same
    interval, and what is seen changes by requests, and by an interval that begins, alone.
    """
    width_s = window_s / buckets
    last = math.floor(now / width_s) + 1
    return (last - buckets) * width_s, last * width_s


def _figures(row: Sequence[Any]) -> tuple[int, int, int, int, float | None, float | None, float | None]:
    """What `FIGURES` gave: requests, rows, client and server errors, p50, p95 and p99."""
    requests, rows, client_errors, server_errors, percentiles = row
    p50, p95, p99 = percentiles or (None, None, None)
    return requests, int(rows), client_errors, server_errors, p50, p95, p99


def _query(
    folder: Path, window: tuple[float, float], origin: Origin | None, *statements: str
) -> list[list[tuple[Any, ...]]]:
    """Each statement's rows over `requests`: those of one origin, or all, that began in [since, until)."""
    since, until = window
    left_out: dict[Path, str] = {}
    problem: duckdb.Error | None = None
    stuck = 0
    for _ in range(READ_TRIES):
        found = catalog.look(folder).within(since, until)
        try:
            return _answers([path for path in found if path not in left_out], window, origin, statements)
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


def _answers(
    files: Sequence[Path], window: tuple[float, float], origin: Origin | None, statements: Sequence[str]
) -> list[list[tuple[Any, ...]]]:
    since, until = (f"'{bound}'::DOUBLE" for bound in window)
    sender = f"AND {SENDER} = '{origin.value}'" if origin else ""
    with _database().cursor() as db:
        db.execute(
            f"CREATE TEMP VIEW requests AS SELECT * FROM ({sources(files)}) "
            f'WHERE "at" >= {since} AND "at" < {until} AND NOT coalesce(mirrored, false) {sender}'
        )
        return [db.execute(statement).fetchall() for statement in statements]


def _lines(files: Sequence[Path]) -> str:
    """A server that dies mid-write leaves a torn last line, which `ignore_errors` drops."""
    columns = ", ".join(f"\"{name}\": '{kind}'" for name, kind in SCHEMA.items())
    return (
        f"SELECT * FROM read_json({each(files)}, {AS_IT_STANDS}, format = 'newline_delimited', "
        f"columns = {{{columns}}}, ignore_errors = true)"
    )
