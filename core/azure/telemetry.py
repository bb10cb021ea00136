"""Requests of a window of time, counted: here where they were read, by Application Insights where they are too many."""

import math
from collections import Counter
from collections.abc import Sequence
from statistics import quantiles

from core.azure.insights import Row, seconds
from core.azure.requests import Requests, number
from core.domain.monitoring import (
    DeploymentCourse,
    DeploymentTraffic,
    Origin,
    RequestRecord,
    TelemetryBucket,
    TelemetrySummary,
    is_server_error,
)

Percentiles = tuple[float | None, float | None, float | None]
Figures = tuple[int, int, int, int, float | None, float | None, float | None]
NOTHING: Figures = (0, 0, 0, 0, None, None, None)


def aligned(now: float, window_s: float, buckets: int) -> tuple[float, float]:
    """The window as whole intervals, whose edges are multiples of their width since the epoch."""
    width_s = window_s / buckets
    last = math.floor(now / width_s) + 1
    return (last - buckets) * width_s, last * width_s


def summary(
    asked: Requests, endpoint: str, since: float, until: float, buckets: int, origin: Origin | None
) -> TelemetrySummary:
    """Totals, percentiles, and what each deployment and each interval had, of one origin or (None) of all."""
    records = asked.whole(endpoint, since, until)
    if records is None:
        return _by_insights(asked, endpoint, since, until, buckets, origin)
    ours = [record for record in records if origin in (None, record.origin)]
    total = _figures(ours)
    return TelemetrySummary(
        endpoint, since, until, total[0], total[1], *total[4:],
        by_status=dict(Counter(record.status for record in ours)),
        by_deployment={name: DeploymentTraffic(*_figures(found)) for name, found in _by_deployment(ours).items()},
        by_origin=dict(Counter(str(record.origin) for record in records)),
        buckets=_buckets(ours, since, until, buckets),
        recorded_since=asked.recorded_since(endpoint),
    )  # fmt: skip


def course(
    asked: Requests,
    endpoint: str,
    since: float,
    until: float,
    buckets: int,
    origin: Origin | None,
    mirrored: Sequence[str],
) -> tuple[DeploymentCourse, ...]:
    """Each deployment that answered by itself."""
    width_s = (until - since) / buckets
    records = asked.whole(endpoint, since, until)
    made: dict[str, tuple[TelemetryBucket, ...]] = {}
    if records is not None:
        ours = [record for record in records if origin in (None, record.origin)]
        made = {name: _buckets(found, since, until, buckets) for name, found in _by_deployment(ours).items()}
    else:
        told: dict[str, dict[int, Figures]] = {}
        for row in asked.figures(endpoint, since, until, origin, ("deployment", "at"), width_s):
            told.setdefault(str(row["deployment"]), {})[_place(row, since, width_s)] = _told(row)
        made = {name: _filled(found, {}, since, width_s, buckets) for name, found in sorted(told.items()) if name}
    return tuple(DeploymentCourse(name, name in mirrored, found) for name, found in made.items())


def _by_insights(
    asked: Requests, endpoint: str, since: float, until: float, buckets: int, origin: Origin | None
) -> TelemetrySummary:
    width_s = (until - since) / buckets

    def figures(*by: str, of: Origin | None = origin) -> tuple[Row, ...]:
        return asked.figures(endpoint, since, until, of, by, width_s)

    total = _told(next(iter(figures()), {}))
    statuses: dict[int, dict[int, int]] = {}
    for row in figures("at", "status"):
        statuses.setdefault(_place(row, since, width_s), {})[int(row["status"] or 0)] = int(row["requests"])
    intervals = {_place(row, since, width_s): _told(row) for row in figures("at")}
    by_status: Counter[int] = Counter()
    for found in statuses.values():
        by_status.update(found)
    return TelemetrySummary(
        endpoint, since, until, total[0], total[1], *total[4:],
        by_status=dict(by_status),
        by_deployment={
            str(row["deployment"]): DeploymentTraffic(*_told(row)) for row in figures("deployment") if row["deployment"]
        },
        by_origin={str(row["origin"]): int(row["requests"]) for row in figures("origin", of=None)},
        buckets=_filled(intervals, statuses, since, width_s, buckets),
        recorded_since=asked.recorded_since(endpoint),
    )  # fmt: skip


def _filled(
    found: dict[int, Figures], statuses: dict[int, dict[int, int]], since: float, width_s: float, count: int
) -> tuple[TelemetryBucket, ...]:
    """All intervals, also those without a request."""
    return tuple(
        TelemetryBucket(since + at * width_s, width_s, *found.get(at, NOTHING), by_status=statuses.get(at, {}))
        for at in range(count)
    )


def _place(row: Row, since: float, width_s: float) -> int:
    return round((seconds(row["at"]) - since) / width_s)


def _told(row: Row) -> Figures:
    counts = (int(row.get(name) or 0) for name in ("requests", "rows_", "client_errors", "server_errors"))
    return (*counts, *(number(row.get(name)) for name in ("p50", "p95", "p99")))  # type: ignore[return-value]


def _by_deployment(records: Sequence[RequestRecord]) -> dict[str, list[RequestRecord]]:
    found: dict[str, list[RequestRecord]] = {}
    for record in records:
        if record.deployment:
            found.setdefault(record.deployment, []).append(record)
    return dict(sorted(found.items()))


def _buckets(records: Sequence[RequestRecord], since: float, until: float, count: int) -> tuple[TelemetryBucket, ...]:
    width_s = (until - since) / count
    held: dict[int, list[RequestRecord]] = {}
    for record in records:
        held.setdefault(min(count - 1, max(0, int((record.at - since) // width_s))), []).append(record)
    statuses = {at: dict(Counter(record.status for record in found)) for at, found in held.items()}
    return _filled({at: _figures(found) for at, found in held.items()}, statuses, since, width_s, count)


def _figures(found: Sequence[RequestRecord]) -> Figures:
    servers = sum(is_server_error(record.status) for record in found)
    clients = sum(record.status >= 400 for record in found) - servers
    return (len(found), sum(record.rows for record in found), clients, servers, *_percentiles(found))


def _percentiles(found: Sequence[RequestRecord]) -> Percentiles:
    took = [record.elapsed_ms for record in found]
    if not took:
        return None, None, None
    if len(took) == 1:
        return took[0], took[0], took[0]
    cuts = quantiles(took, n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98]
