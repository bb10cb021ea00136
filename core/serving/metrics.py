"""Counts of one worker, in Prometheus' text format (version 0.0.4)."""

from bisect import bisect_left
from collections import Counter

# Milliseconds to seconds: from below the fastest score to the slowest that a client waits for.
BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Requests by status and deployment, latencies, rows and requests in flight since the worker started."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._requests: Counter[tuple[int, str]] = Counter()
        self._buckets = [0] * (len(BUCKETS_S) + 1)
        self._sum_s = 0.0
        self._rows = 0

    def count(self, status: int, deployment: str, rows: int, elapsed_ms: float) -> None:
        """Add one answered request to /score."""
        seconds = elapsed_ms / 1000.0
        self._requests[status, deployment] += 1
        self._buckets[bisect_left(BUCKETS_S, seconds)] += 1
        self._sum_s += seconds
        self._rows += rows

    def text(self, dropped: int) -> str:
        """All of it. `dropped` are the telemetry records lost to a full queue or disk."""
        lines = ["# HELP slipway_requests_total Requests to /score.", "# TYPE slipway_requests_total counter"]
        lines += [
            f'slipway_requests_total{{status="{status}",deployment="{deployment}"}} {count}'
            for (status, deployment), count in sorted(self._requests.items())
        ]
        lines += self._histogram()
        for name, kind, what, value in (
            ("slipway_rows_total", "counter", "Rows scored.", self._rows),
            ("slipway_requests_in_flight", "gauge", "Requests accepted and unanswered.", self.in_flight),
            ("slipway_telemetry_dropped_total", "counter", "Records lost to a full queue or disk.", dropped),
        ):
            lines += [f"# HELP {name} {what}", f"# TYPE {name} {kind}", f"{name} {value}"]
        return "\n".join(lines) + "\n"

    def _histogram(self) -> list[str]:
        name = "slipway_request_seconds"
        lines = [f"# HELP {name} Time from the request's head to its reply.", f"# TYPE {name} histogram"]
        total = 0
        for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), self._buckets, strict=True):
            total += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {total}')
        return [*lines, f"{name}_sum {self._sum_s:.6f}", f"{name}_count {total}"]
