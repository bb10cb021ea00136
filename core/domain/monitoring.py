"""What endpoints did: requests, latency, errors, drift, alerts; and the health of the service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


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


@dataclass(frozen=True, slots=True)
class Feedback:
    """What really happened to a scored row: the truth that arrives later."""

    endpoint: str
    request_id: str
    row: int
    actual: str | int | bool
    at: float


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """How far a column's recent values are from the training data: population stability index, and a verdict."""

    column: str
    psi: float
    drifted: bool


@dataclass(frozen=True, slots=True)
class DriftReport:
    """How far an endpoint's recent inputs are from the training data, column by column."""

    endpoint: str
    since: float
    until: float
    rows: int
    columns: tuple[ColumnDrift, ...]


class AlertState(StrEnum):
    """Whether an alert's metric is above its limit."""

    OK = "ok"
    FIRING = "firing"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Fire while `metric` of `endpoint` over `window_s` is above `limit`."""

    name: str
    endpoint: str
    metric: str
    limit: float
    window_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it is now: its rule, its state since when, and the metric's last value."""

    rule: AlertRule
    state: AlertState
    value: float | None
    since: float


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
