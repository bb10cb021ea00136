"""Counts in Prometheus' text format (version 0.0.4), summed over the workers of an endpoint.

Each worker writes its counts to a file of its own, and whichever worker is asked sums them all. The parent keeps what
dead workers counted in one more file, so that a total never falls while the endpoint lives. That file names those whose
counts it holds, so that nobody counts twice what stands in both for a moment.
"""

import logging
import os
import secrets
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from core.serving.spells import Spell

log = logging.getLogger(__name__)

T = TypeVar("T")

# Milliseconds to seconds: from below the fastest score to the slowest that a client waits for.
BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Buckets = Annotated[list[int], msgspec.Meta(min_length=len(BUCKETS_S) + 1, max_length=len(BUCKETS_S) + 1)]

PUBLISH_S = 0.5
"""So old may another worker's counts be."""
ENDED = "ended.json"
READS_MAX = 10
"""So often is the sum begun anew when a worker ends meanwhile."""


class Counts(msgspec.Struct):
    """What one worker, or several together, have counted."""

    requests: list[tuple[int, str, int]] = []
    """Status, deployment, how many."""
    buckets: Buckets = msgspec.field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    sum_s: float = 0.0
    rows: int = 0
    in_flight: int = 0
    connections: int = 0
    dropped: int = 0
    """Telemetry records lost to a full queue or disk."""
    mirror_dropped: int = 0
    write_failures: int = 0


class Ended(msgspec.Struct):
    """What the dead workers have counted."""

    counts: Counts = msgspec.field(default_factory=Counts)
    kept: int = 0
    """How many workers: another number is another state of this file."""
    files: list[str] = []
    """Files whose counts are in `counts`; those that are gone are left out here later."""


class Metrics:
    """Requests by status and deployment, latencies, rows and requests in flight since the worker started."""

    def __init__(self, folder: Path | None = None, *, pid: int | None = None) -> None:
        """`folder` is shared by the endpoint's workers; without one the counts are this worker's alone.

        `pid` is the worker's, by default this process's.
        """
        self.in_flight = self.connections = self.dropped = self.mirror_dropped = 0
        self._file = None if folder is None else folder / _name_of(pid or os.getpid())
        self._spell = Spell("the counts for /metrics")
        self.write_failures = 0
        """Of everything else that this worker writes."""
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
        """Let the other workers see these counts; what cannot be written now is written the next time."""
        counts = self._counts()
        if self._file is not None and counts != self._published:
            file = self._file
            if self._spell.attempt(lambda: _write(file, counts)):
                self._published = counts

    def text(self) -> str:
        """The counts of all workers, which are told to nobody before they are published: no total ever falls."""
        self.publish()
        others = [] if self._file is None else _others(self._file)
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
            self.write_failures + self._spell.failures,
        )


def folder_of(status_file: Path) -> Path:
    """Where the workers of an endpoint publish their counts."""
    return status_file.parent / "metrics"


def begin(folder: Path) -> None:
    """An empty folder for the counts of an endpoint that starts. Raises OSError."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for left in folder.iterdir():
        left.unlink()


def keep(folder: Path, pid: int) -> None:
    """Add a dead worker's counts to those of the dead before it. Raises OSError; it may be called again then."""
    for torn in folder.glob(f"*-{pid}-*.tmp"):
        torn.unlink(missing_ok=True)
    for file in folder.glob(f"*-{pid}-*.json"):
        ended = _read(folder / ENDED, Ended) or Ended()
        counts = _read(file, Counts)
        if counts is not None and file.name not in ended.files:
            total = _summed([ended.counts, counts])
            total.in_flight = total.connections = 0
            left = [name for name in ended.files if (folder / name).exists()]
            _write(folder / ENDED, Ended(total, ended.kept + 1, [*left, file.name]))
        file.unlink(missing_ok=True)


def _name_of(pid: int) -> str:
    """No other worker's, though numbers of the dead are given again. Those of another parent are left-overs."""
    return f"{os.getppid()}-{pid}-{secrets.token_hex(4)}.json"


def _others(own: Path) -> list[Counts]:
    """What all workers of the same parent but the one with the file `own` have counted, dead ones included."""
    found: list[Counts] = []
    for _ in range(READS_MAX):
        ended = _read(own.parent / ENDED, Ended) or Ended()
        files = own.parent.glob(f"{own.name.partition('-')[0]}-*.json")
        read = [_read(file, Counts) for file in files if file.name not in {own.name, *ended.files}]
        found = [ended.counts, *(counts for counts in read if counts is not None)]
        if (_read(own.parent / ENDED, Ended) or Ended()).kept == ended.kept:
            break  # else a worker's counts were moved meanwhile, and may be here twice or not at all
    return found


def _read(path: Path, kind: type[T]) -> T | None:
    """What is there; None where nothing is, or what nobody can read: counts are not worth a server."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except msgspec.DecodeError as e:
        log.error("the counts in %s are lost, they cannot be read: %s", path.name, e)
        return None


def _write(path: Path, value: Counts | Ended) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}.tmp")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(msgspec.json.encode(value))
    new.replace(path)


def _summed(several: Iterable[Counts]) -> Counts:
    requests: Counter[tuple[int, str]] = Counter()
    total = Counts()
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
        total.write_failures += counts.write_failures
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
        ("slipway_write_failures_total", "counter", "Tries to write files that failed.", counts.write_failures),
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
