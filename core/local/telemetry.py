"""What the scoring servers recorded: DuckDB over their segment files, and the compaction of those to Parquet.

A segment is `seg-{epoch ms}-{pid}-{n}.jsonl`, with `.open` behind it while its server still writes. Compaction writes
the Parquet twin first and removes the lines after; a reader ignores lines that have a twin, so a crash between the two
counts nothing twice.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from core.domain.errors import ServiceUnavailable
from core.domain.monitoring import Origin, RequestRecord, TelemetryBucket, TelemetrySummary

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
"""A record's columns; a later one goes to the end and is null in older segments."""

READ_TRIES = 5
"""A segment may be renamed or compacted between listing and reading; then the listing is taken anew."""


PERCENTILES = "quantile_cont(elapsed_ms, [0.5, 0.95, 0.99])"
SENDER = f"coalesce(nullif(origin, ''), '{Origin.CLIENT}')"
"""Records of before there were origins count as clients'."""
TOTALS = f'SELECT count(*), coalesce(sum("rows"), 0), {PERCENTILES} FROM r'
BY_STATUS = "SELECT status, count(*) FROM r GROUP BY status ORDER BY status"
BY_DEPLOYMENT = "SELECT deployment, count(*) FROM r WHERE deployment != '' GROUP BY deployment ORDER BY deployment"
BY_BUCKET = f"""
SELECT bucket, count(*), coalesce(sum("rows"), 0), count(*) FILTER (status BETWEEN 400 AND 499),
count(*) FILTER (status >= 500), {PERCENTILES} FROM r GROUP BY bucket"""
NEWEST = """
SELECT "at", request_id, deployment, status, "rows", elapsed_ms, bytes_in, bytes_out, origin FROM r
ORDER BY "at" DESC"""


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
    window = (since, until, width_s)
    statements = (TOTALS, BY_STATUS, BY_DEPLOYMENT, BY_BUCKET)
    totals, status, deployment, intervals = _query(folder, window, origin, *statements)
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
        by_deployment=dict(deployment),
        buckets=tuple(_bucket(since + i * width_s, width_s, found.get(i)) for i in range(buckets)),
    )


def newest(folder: Path, limit: int, *, origin: Origin | None = Origin.CLIENT) -> tuple[RequestRecord, ...]:
    """The last `limit` requests of one origin, or of all (None), newest first."""
    (rows,) = _query(folder, (0.0, float("inf"), float("inf")), origin, f"{NEWEST} LIMIT {int(limit)}")
    return tuple(RequestRecord(*row) for row in rows)


def compact(folder: Path, *, alive: Callable[[int], bool], ready: Callable[[Path], bool] = lambda segment: True) -> int:
    """Turn every finished segment into Parquet; the number of segments that became one.

    Finished means closed, or left open by a server that is not `alive` any more (by pid). One that is not `ready`
    stays for a later time.
    """
    done = 0
    for segment in sorted(folder.glob("seg-*.jsonl*")):
        if segment.suffix == ".open" and alive(_pid(segment)):
            continue
        twin = _twin(segment)
        if not twin.exists():
            if not ready(segment):
                continue
            _write_parquet(segment, twin)
            done += 1
        segment.unlink(missing_ok=True)
    return done


def _bucket(at: float, width_s: float, found: tuple[Any, ...] | None) -> TelemetryBucket:
    requests, rows, client_errors, server_errors, percentiles = found or (0, 0, 0, 0, None)
    p50, p95, p99 = percentiles or (None, None, None)
    return TelemetryBucket(at, width_s, requests, int(rows), client_errors, server_errors, p50, p95, p99)


def _query(
    folder: Path, window: tuple[float, float, float], origin: Origin | None, *statements: str
) -> list[list[tuple[Any, ...]]]:
    """Each statement's rows over `r`: every record in [since, until) with its `bucket` of that width (s)."""
    since, until, width_s = window
    problem: duckdb.Error | None = None
    for _ in range(READ_TRIES):
        with duckdb.connect() as db:
            db.execute("SET threads = 1")
            try:
                db.execute(
                    f"CREATE TEMP TABLE r AS SELECT * REPLACE ({SENDER} AS origin), "
                    'floor(("at" - $since) / $width_s)::BIGINT AS bucket '
                    f'FROM ({_union(folder)}) WHERE "at" >= $since AND "at" < $until AND NOT mirrored '
                    f"AND ($origin IS NULL OR {SENDER} = $origin)",
                    {"since": since, "until": until, "width_s": width_s, "origin": origin and origin.value},
                )
            except duckdb.IOException as e:
                problem = e
                continue
            return [db.execute(statement).fetchall() for statement in statements]
    raise ServiceUnavailable(f"The telemetry in {folder.name} cannot be read", hint=str(problem)) from problem


def _union(folder: Path) -> str:
    parquet = sorted(folder.glob("seg-*.parquet"))
    compacted = {path.name for path in parquet}
    lines = [path for path in sorted(folder.glob("seg-*.jsonl*")) if _twin(path).name not in compacted]
    columns = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in SCHEMA.items())
    parts = [f"SELECT {columns} WHERE false"]
    if parquet:
        parts.append(f"SELECT * FROM read_parquet({_files(parquet)}, union_by_name = true)")
    if lines:
        parts.append(_lines(lines))
    return " UNION ALL BY NAME ".join(parts)


def _lines(files: list[Path]) -> str:
    """A server that dies mid-write leaves a torn last line, which `ignore_errors` drops."""
    columns = ", ".join(f"\"{name}\": '{kind}'" for name, kind in SCHEMA.items())
    return (
        f"SELECT * FROM read_json({_files(files)}, format = 'newline_delimited', columns = {{{columns}}}, "
        'ignore_errors = true) WHERE "at" IS NOT NULL'
    )


def _files(files: list[Path]) -> str:
    return "[" + ", ".join("'" + str(path).replace("'", "''") + "'" for path in files) + "]"


def _twin(segment: Path) -> Path:
    return segment.with_name(segment.name.partition(".")[0] + ".parquet")


def _pid(segment: Path) -> int:
    return int(segment.name.split("-")[2])


def _write_parquet(segment: Path, twin: Path) -> None:
    temporary = twin.with_name(f".{twin.name}.tmp")
    try:
        with duckdb.connect() as db:
            target = str(temporary).replace("'", "''")
            db.execute(f"COPY ({_lines([segment])}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, twin)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
