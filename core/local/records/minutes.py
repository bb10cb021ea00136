"""Sums by the minute and by the hour beside each merged file: what was asked, and how long it took, in bins of latency.

A window with many requests is told from these; its percentiles are then within 1 %, for a bin is 2 % wide.
"""

from pathlib import Path

from core.local.records import requests
from core.ml.data.sql_paths import literal

SUFFIX = ".sums"
MINUTE_S, HOUR_S = 60, 3600
BINS_PER_E = 50
"""The edges of a bin are apart by a factor of exp(1/50): nothing in it is more than 1 % from its middle."""
KIND = f"""coalesce(deployment, '') AS deployment, {requests.SENDER} AS sender,
coalesce(status, 0)::INTEGER AS status, coalesce(mirrored, false) AS mirrored"""
COUNTED = 'count(*)::BIGINT AS n, coalesce(sum("rows"), 0)::BIGINT AS "rows"'


def beside(file: Path) -> Path:
    """Where the sums of a merged file are."""
    return file.with_suffix(SUFFIX)


def summed(source: str, span_s: int) -> str:
    """SQL for the sums of requests by spans of this length; `minute` is the first one of a span."""
    minute = f"((at_us // {span_s * 1_000_000}) * {span_s // MINUTE_S})::INTEGER"
    latency = f"round(ln(greatest(elapsed_us, 1)) * {BINS_PER_E})::SMALLINT"
    return (
        f'SELECT {span_s}::SMALLINT AS span_s, {minute} AS "minute", {KIND}, {latency} AS bin, {COUNTED} '
        f"FROM ({source}) GROUP BY ALL"
    )


def write(file: Path, target: Path) -> None:
    """Sum up a merged file. Raises duckdb.Error."""
    source = requests.sources([file])
    both = " UNION ALL ".join(summed(source, span_s) for span_s in (MINUTE_S, HOUR_S))
    with requests.database().cursor() as db:
        db.execute(
            f"COPY (SELECT * FROM ({both}) ORDER BY ALL) TO {literal(str(target))} "
            f"(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2, ROW_GROUP_SIZE {requests.ROW_GROUP})"
        )
