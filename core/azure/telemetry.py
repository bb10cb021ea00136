"""Requests of a window of time, counted."""

import math
from collections import Counter
from collections.abc import Sequence
from statistics import quantiles

from core.domain.monitoring import (
    DeploymentTraffic,
    Origin,
    RequestRecord,
    TelemetryBucket,
    TelemetrySummary,
    is_server_error,
)

Percentiles = tuple[float | None, float | None, float | None]


def aligned(now: float, window_s: float, buckets: int) -> tuple[float, float]:
    """The window as whole intervals, whose edges are multiples of their width since the epoch."""
    width_s = window_s / buckets
    last = math.floor(now / width_s) + 1
    return (last - buckets) * width_s, last * width_s


def summary(
    endpoint: str, records: Sequence[RequestRecord], since: float, until: float, buckets: int, origin: Origin | None
) -> TelemetrySummary:
    """Totals, percentiles, and what each deployment and each interval had, of one origin or (None) of all."""
    ours = [record for record in records if origin in (None, record.origin)]
    p50, p95, p99 = _percentiles(ours)
    by_deployment: dict[str, list[RequestRecord]] = {}
    for record in ours:
        by_deployment.setdefault(record.deployment, []).append(record)
    return TelemetrySummary(
        endpoint, since, until, len(ours), sum(record.rows for record in ours), p50, p95, p99,
        by_status=dict(Counter(record.status for record in ours)),
        by_deployment={name: _traffic(found) for name, found in by_deployment.items() if name},
        by_origin=dict(Counter(str(record.origin) for record in records)),
        buckets=_buckets(ours, since, until, buckets),
    )  # fmt: skip


def _buckets(records: Sequence[RequestRecord], since: float, until: float, count: int) -> tuple[TelemetryBucket, ...]:
    width_s = (until - since) / count
    held: list[list[RequestRecord]] = [[] for _ in range(count)]
    for record in records:
        held[min(count - 1, max(0, int((record.at - since) // width_s)))].append(record)
    return tuple(
        TelemetryBucket(since + at * width_s, width_s, len(found), sum(r.rows for r in found), *_errors(found),
                        *_percentiles(found))
        for at, found in enumerate(held)
    )  # fmt: skip


def _traffic(found: Sequence[RequestRecord]) -> DeploymentTraffic:
    return DeploymentTraffic(len(found), sum(r.rows for r in found), *_errors(found), *_percentiles(found))


def _errors(found: Sequence[RequestRecord]) -> tuple[int, int]:
    """The clients' and the server's."""
    servers = sum(is_server_error(record.status) for record in found)
    return sum(record.status >= 400 for record in found) - servers, servers


def _percentiles(found: Sequence[RequestRecord]) -> Percentiles:
    took = [record.elapsed_ms for record in found]
    if not took:
        return None, None, None
    if len(took) == 1:
        return took[0], took[0], took[0]
    cuts = quantiles(took, n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98]
