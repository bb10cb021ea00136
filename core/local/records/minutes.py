"""Sums by the minute beside each merged file: what was asked, and how long it took, in bins of latency.

A window with many requests is told from these; its percentiles are then within 1 %, for a bin is 2 % wide.
"""

from pathlib import Path

from core.local.records import requests
from core.ml.data.sql_paths import literal

SUFFIX = ".minutes"
MINUTE_S = 60
BINS_PER_E = 50
"""The edges of a bin are apart by a factor of exp(1/50): nothing in it is more than 1 % from its middle."""
KIND = f"""coalesce(deployment, '') AS deployment, {requests.SENDER} AS sender,
coalesce(status, 0)::INTEGER AS status, coalesce(mirrored, false) AS mirrored"""
COUNTED = 'count(*)::BIGINT AS n, coalesce(sum("rows"), 0)::BIGINT AS "rows"'
SUMMED = f"""SELECT (at_us // {MINUTE_S * 1_000_000})::INTEGER AS "minute", {KIND},
round(ln(greatest(elapsed_us, 1)) * {BINS_PER_E})::SMALLINT AS bin, {COUNTED} FROM """


def beside(file: Path) -> Path:
    """Where the sums of a merged file are."""
    return file.with_suffix(SUFFIX)


def write(file: Path, target: Path) -> None:
    """Sum up a merged file. Raises duckdb.Error."""
    with requests.database().cursor() as db:
        db.execute(
            f"COPY ({SUMMED} ({requests.sources([file])}) GROUP BY ALL ORDER BY ALL) TO {literal(str(target))} "
            f"(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2, ROW_GROUP_SIZE {requests.ROW_GROUP})"
        )
