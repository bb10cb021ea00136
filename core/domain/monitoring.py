"""What endpoints did: requests, latency, errors, drift, alerts; and the health of the service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.domain.rules import check_limit, check_text


class Origin(StrEnum):
    """Who sent a request: a client, or which part of Slipway. The key that it came with tells, and nothing else."""

    CLIENT = "client"
    APP = "app"
    """The Test form."""
    BATCH = "batch"
    LOADTEST = "loadtest"
    SHADOW = "shadow"
    """What a gate sends to the live deployment, to compare."""
    GATE = "gate"
    """Checks of the contract against the live endpoint; a gate's own are sent to a server of its own."""


MODEL_FAILED = 424
"""The status of a request whose row the model itself could not score."""


def is_server_error(status: int) -> bool:
    """Whether an HTTP status says that the endpoint failed, not its client."""
    return status >= 500 or status == MODEL_FAILED


@dataclass(frozen=True, slots=True)
class TelemetryBucket:
    """One interval of an endpoint's life: [at, at + width_s).

    `server_errors` are answers 5xx and 424 (the model itself failed), `client_errors` the other 4xx.
    """

    at: float
    width_s: float
    requests: int
    rows: int
    client_errors: int
    server_errors: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    by_status: Mapping[int, int] = field(default_factory=dict)
    gap: str = ""
    """Why the interval is not told of, or not wholly: `before` (nothing was recorded yet), `off` (records were turned
    off), `down` (the endpoint did not answer), `unknown` (nobody looked). Empty: what is not here was not.
    """


@dataclass(frozen=True, slots=True)
class DeploymentTraffic:
    """What one deployment answered over a window of time. Errors are counted as in `TelemetryBucket`."""

    requests: int
    rows: int
    client_errors: int
    server_errors: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class TelemetrySummary:
    """An endpoint over a window of time: totals, percentiles over all requests, and how each deployment did.

    Latencies are the server's own: from a request's arrival to its answer, without the way to and from the client.
    """

    endpoint: str
    since: float
    until: float
    requests: int
    rows: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    by_status: Mapping[int, int] = field(default_factory=dict)
    by_deployment: Mapping[str, DeploymentTraffic] = field(default_factory=dict)
    by_origin: Mapping[str, int] = field(default_factory=dict)
    """Requests by `Origin`, of all origins, also where the summary is of one."""
    buckets: tuple[TelemetryBucket, ...] = ()
    recorded_since: float | None = None
    """From when on requests were recorded: what lies before is a gap, no zero. None: nothing was ever recorded."""

    @property
    def known(self) -> tuple[TelemetryBucket | None, ...]:
        """The intervals; None for one of which nothing is known: a gap in every chart."""
        first = self.recorded_since
        over = (first is not None and b.at + b.width_s <= first for b in self.buckets)
        return tuple(
            None if before or (b.gap and not b.requests) else b for b, before in zip(self.buckets, over, strict=True)
        )


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request, without its values: what a telemetry segment holds."""

    at: float
    request_id: str
    deployment: str
    status: int
    rows: int
    elapsed_ms: float
    bytes_in: int
    bytes_out: int
    origin: str = Origin.CLIENT
    """One of `Origin`."""
    client_request_id: str = ""
    """What the client called it (`x-ms-client-request-id`); empty: nothing."""
    trace_id: str = ""
    """Of the caller's trace, 32 hexadecimal digits (W3C `traceparent`); empty: none was sent."""
    run_ms: float = 0.0
    """Of `elapsed_ms`, what the model took."""
    problem: str = ""
    """The name of the error that it ended with; empty: none."""


@dataclass(frozen=True, slots=True)
class RequestQuery:
    """Which requests to look for. A request must fit all that is given."""

    since: float | None = None
    until: float | None = None
    text: str = ""
    """A request id, a client's id or a trace id, or what one begins with."""
    statuses: tuple[int, ...] = ()
    deployment: str = ""
    problem: str = ""
    slowest: bool = False
    """The slowest first, where the newest would be."""
    limit: int = 100

    def __post_init__(self) -> None:
        check_limit(self.limit)
        check_text("text", self.text, empty=True)


@dataclass(frozen=True, slots=True)
class DeploymentCourse:
    """One deployment over a window of time, in the intervals of its `TelemetrySummary`."""

    deployment: str
    mirrored: bool
    """It answered copies of requests, which no client has seen."""
    buckets: tuple[TelemetryBucket, ...]


@dataclass(frozen=True, slots=True)
class ExceptionGroup:
    """Requests that failed on the same cause: the kind of exception, and the line of code that raised it."""

    kind: str
    """The exception's class."""
    where: str
    """`file:line in function`; empty where the server kept no traceback."""
    count: int
    first: float
    last: float
    message: str = ""
    """Of the newest."""
    traceback: str = ""
    """Of the newest, with lines of code and no value of a row."""
    deployments: tuple[str, ...] = ()
    request_ids: tuple[str, ...] = ()
    """Of the newest ones, at most 10."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Requests that were refused for one reason: a kind of problem in one column, or in the request as a whole."""

    reason: str
    """The problem's code, as the endpoint's answers name it."""
    column: str
    """Empty: the request as a whole."""
    count: int
    example: str = ""
    """A category that the model has never seen is told here, where inputs are collected; other values never are."""
    last: float = 0.0


@dataclass(frozen=True, slots=True)
class AvailabilityBucket:
    """How long an endpoint could be reached in [at, at + width_s). What nobody has looked at is not known."""

    at: float
    width_s: float
    up_s: float
    down_s: float

    @property
    def share(self) -> float | None:
        """Of the time that is known; None where nothing is."""
        known_s = self.up_s + self.down_s
        return self.up_s / known_s if known_s else None


@dataclass(frozen=True, slots=True)
class Availability:
    """How long an endpoint could be reached, of the time in which the service looked."""

    endpoint: str
    since: float
    until: float
    up_s: float
    down_s: float
    buckets: tuple[AvailabilityBucket, ...] = ()

    @property
    def share(self) -> float | None:
        """Of the time that is known; None where nothing is."""
        known_s = self.up_s + self.down_s
        return self.up_s / known_s if known_s else None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A mirrored deployment's answers against those that clients got for the same requests."""

    live: str
    mirrored: str
    requests: int
    rows: int
    different_rows: int
    """Rows with another predicted class (regression: another number, beyond 1e-6 of its size)."""
    mean_difference: float
    """Of the probability of the positive class, or the largest of all classes', in absolute value, over rows."""
    max_difference: float


SCHEDULER_SILENT_S = 60.0
"""A running service looks at schedules several times a second, and says so every few seconds."""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """The workspace service as seen from outside. `url` is empty while it is down."""

    running: bool
    pid: int | None
    url: str
    started_at: float | None
    version: str
    home: str
    jobs_running: int = 0
    jobs_queued: int = 0
    endpoints: int = 0
    scheduler_looked_at: float | None = None
    """When schedules were last looked at; None where none is on."""
    scheduler_error: str = ""
    """Which schedules cannot fire, and why."""

    def scheduler_trouble(self, now: float) -> str:
        """Why schedules do not fire as they should, in a sentence; empty where they do, or where none is on."""
        if self.scheduler_looked_at is None:
            return ""
        if not self.running:
            return "Schedules do not fire: the service is stopped"
        if (silent_s := now - self.scheduler_looked_at) > SCHEDULER_SILENT_S:
            return f"Schedules have not been looked at for {silent_s:,.0f} s: the scheduler has stopped"
        return f"Some schedules cannot fire. {self.scheduler_error}" if self.scheduler_error else ""


class FindingState(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `doctor`: what was looked at, how it is, what to do."""

    name: str
    state: FindingState
    detail: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class BackupReport:
    """A backup that was written or restored, and how much of each noun it holds."""

    path: str
    size_bytes: int
    created_at: float
    contents: Mapping[str, Any] = field(default_factory=dict)
