"""Counts in Prometheus' text format (version 0.0.4), summed over the workers of an endpoint.

Each worker writes its counts to a file of its own, and whichever worker is asked sums them all. The parent keeps what
dead workers counted, so that a total never falls while the endpoint lives.
"""

import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

# Milliseconds to seconds: from below the fastest score to the slowest that a client waits for.
BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

PUBLISH_S = 0.5
"""So old may another worker's counts be."""
ENDED = "ended.json"


class Counts(msgspec.Struct):
    """What one worker, or several together, have counted."""

    requests: list[tuple[int, str, int]] = []
    """Status, deployment, how many."""
    buckets: list[int] = []
    sum_s: float = 0.0
    rows: int = 0
    in_flight: int = 0
    connections: int = 0
    dropped: int = 0
    """Telemetry records lost to a full queue or disk."""
    mirror_dropped: int = 0


class Metrics:
    """Requests by status and deployment, latencies, rows and requests in flight since the worker started."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is shared by the endpoint's workers; without one the counts are this worker's alone."""
        self.in_flight = self.connections = self.dropped = self.mirror_dropped = 0
        self._folder = folder
        self._requests: Counter[tuple[int, str]] = Counter()
        self._buckets = [0] * (len(BUCKETS_S) + 1)
        self._sum_s = 0.0
        self._rows = 0
        self._published: Counts | None = None

    def count(self, status: int, deployment: str, rows: int, elapsed_ms: float) -> None:
        """Add one answered request to /score."""
        seconds = elapsed_ms / 1000.0
        self._requests[status, deployment] += 1
        self._buckets[bisect_left(BUCKETS_S, seconds)] += 1
        self._sum_s += seconds
        self._rows += rows

    def publish(self) -> None:
        """Let the other workers see these counts."""
        counts = self._counts()
        if self._folder is not None and counts != self._published:
            _write(self._folder / f"{os.getpid()}.json", counts)
            self._published = counts

    def text(self) -> str:
        """The counts of all workers."""
        others = [] if self._folder is None else _read(self._folder, but=f"{os.getpid()}.json")
        return _text(_summed([self._counts(), *others]))

    def _counts(self) -> Counts:
        return Counts(
            [(status, deployment, count) for (status, deployment), count in self._requests.items()],
            list(self._buckets),
            self._sum_s,
            self._rows,
            self.in_flight,
            self.connections,
            self.dropped,
            self.mirror_dropped,
        )


def folder_of(status_file: Path) -> Path:
    """Where the workers of an endpoint publish their counts."""
    return status_file.parent / "metrics"


def begin(folder: Path) -> None:
    """An empty folder for the counts of an endpoint that starts."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for left in folder.iterdir():
        left.unlink()


def keep(folder: Path, pid: int) -> None:
    """Add a dead worker's counts to those of the dead before it."""
    file = folder / f"{pid}.json"
    if not file.exists():
        return
    ended = folder / ENDED
    known = [msgspec.json.decode(path.read_bytes(), type=Counts) for path in (file, ended) if path.exists()]
    total = _summed(known)
    total.in_flight = total.connections = 0
    _write(ended, total)
    file.unlink()


def _write(path: Path, counts: Counts) -> None:
    new = path.with_suffix(f".{os.getpid()}.tmp")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(msgspec.json.encode(counts))
    new.replace(path)


def _read(folder: Path, *, but: str) -> list[Counts]:
    found = []
    for path in folder.glob("*.json"):
        if path.name != but:
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=Counts))
            except FileNotFoundError:
                continue  # its worker has just ended, and the parent has moved its counts
    return found


def _summed(several: Iterable[Counts]) -> Counts:
    requests: Counter[tuple[int, str]] = Counter()
    total = Counts(buckets=[0] * (len(BUCKETS_S) + 1))
    for counts in several:
        for status, deployment, count in counts.requests:
            requests[status, deployment] += count
        total.buckets = [one + other for one, other in zip(total.buckets, counts.buckets, strict=True)]
        total.sum_s += counts.sum_s
        total.rows += counts.rows
        total.in_flight += counts.in_flight
        total.connections += counts.connections
        total.dropped += counts.dropped
        total.mirror_dropped += counts.mirror_dropped
    total.requests = [(status, deployment, count) for (status, deployment), count in sorted(requests.items())]
    return total


def _text(counts: Counts) -> str:
    lines = ["# HELP slipway_requests_total Requests to /score.", "# TYPE slipway_requests_total counter"]
    lines += [
        f'slipway_requests_total{{status="{status}",deployment="{deployment}"}} {count}'
        for status, deployment, count in counts.requests
    ]
    lines += _histogram(counts)
    for name, kind, what, value in (
        ("slipway_rows_total", "counter", "Rows scored.", counts.rows),
        ("slipway_requests_in_flight", "gauge", "Requests accepted and unanswered.", counts.in_flight),
        ("slipway_connections", "gauge", "Open connections.", counts.connections),
        ("slipway_telemetry_dropped_total", "counter", "Records lost to a full queue or disk.", counts.dropped),
        ("slipway_mirror_dropped_total", "counter", "Mirrored requests left out.", counts.mirror_dropped),
    ):
        lines += [f"# HELP {name} {what}", f"# TYPE {name} {kind}", f"{name} {value}"]
    return "\n".join(lines) + "\n"


def _histogram(counts: Counts) -> list[str]:
    name = "slipway_request_seconds"
    lines = [f"# HELP {name} Time from the request's head to its reply.", f"# TYPE {name} histogram"]
    total = 0
    for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), counts.buckets, strict=True):
        total += count
        lines.append(f'{name}_bucket{{le="{bound}"}} {total}')
    return [*lines, f"{name}_sum {counts.sum_s:.6f}", f"{name}_count {total}"]
