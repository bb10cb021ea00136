"""How much an endpoint did and how fast, over a window of time: of all its deployments, and of each."""

import math
from pathlib import Path

from core.domain.monitoring import DeploymentCourse, DeploymentTraffic, Origin, TelemetryBucket, TelemetrySummary
from core.local.records import catalog, cells
from core.local.records.cells import NOTHING, Cells, Window

EXACT_MAX = 300_000
"""With at most so many requests in the files of a window its percentiles are exact; else they are within 1 %."""


def aligned(now: float, window_s: float, buckets: int) -> tuple[float, float]:
    """About the last `window_s` seconds as whole intervals, in the newest of which is `now`: from when until when.

    The edges are multiples of an interval's width, whenever it is asked: two looks put a request into the same
    interval, and what is seen changes by requests, and by an interval that begins, alone.
    """
    width_s = window_s / buckets
    last = math.floor(now / width_s) + 1
    return (last - buckets) * width_s, last * width_s


def summary(
    endpoint: str,
    folder: Path,
    since: float,
    until: float,
    buckets: int,
    *,
    origin: Origin | None = Origin.CLIENT,
    exact_max: int = EXACT_MAX,
) -> TelemetrySummary:
    """Totals, percentiles and `buckets` intervals of [since, until) for one origin, or all (None).

    Mirrored requests do not count.
    """
    window = Window(since, until, buckets)
    everybody = _cells(folder, window, exact_max).where("mirrored", False)
    ours = _of(everybody, origin)
    requests, rows, _, _, p50, p95, p99 = ours.figures
    return TelemetrySummary(
        endpoint=endpoint,
        since=since,
        until=until,
        requests=requests,
        rows=rows,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        by_status=ours.counts("status"),
        by_deployment={name: DeploymentTraffic(*found.figures) for name, found in ours.by("deployment") if name},
        by_origin=everybody.counts("sender"),
        buckets=_buckets(ours, window),
        recorded_since=catalog.look(folder).begun,
    )


def course(
    folder: Path,
    since: float,
    until: float,
    buckets: int,
    *,
    origin: Origin | None = Origin.CLIENT,
    exact_max: int = EXACT_MAX,
) -> tuple[DeploymentCourse, ...]:
    """Each deployment that was asked in the window, by its name; what was mirrored to it is told apart."""
    window = Window(since, until, buckets)
    ours = _of(_cells(folder, window, exact_max), origin)
    return tuple(
        DeploymentCourse(name, bool(mirrored), _buckets(part, window))
        for name, found in ours.by("deployment")
        if name
        for mirrored, part in found.by("mirrored")
    )


def _cells(folder: Path, window: Window, exact_max: int) -> Cells:
    merged = catalog.look(folder).merged
    inside = sum(abs(file.rows) for file in merged if file.last >= window.since and file.first < window.until)
    return (cells.exactly if inside <= exact_max else cells.by_the_minute)(folder, window)


def _of(found: Cells, origin: Origin | None) -> Cells:
    return found if origin is None else found.where("sender", origin.value)


def _buckets(found: Cells, window: Window) -> tuple[TelemetryBucket, ...]:
    """All intervals, also those without a request."""
    there = dict(found.by("bucket"))
    return tuple(_bucket(there.get(number), window, number) for number in range(window.buckets))


def _bucket(found: Cells | None, window: Window, number: int) -> TelemetryBucket:
    figures, statuses = (NOTHING, {}) if found is None else (found.figures, found.counts("status"))
    return TelemetryBucket(window.since + number * window.width_s, window.width_s, *figures, statuses)
