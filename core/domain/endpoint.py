"""Online endpoints, their deployments, traffic and keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, urlsplit

from core.domain import names
from core.domain.errors import SpecInvalid, StateChanged
from core.domain.rules import check_flag, check_number, check_text, check_whole
from core.domain.signature import FORMS

MIRROR_MAX_PCT = 50
DEPLOYMENT_HEADER = "azureml-model-deployment"
"""Azure ML's header: it selects a deployment, and a reply names in it the one that answered."""


class EndpointState(StrEnum):
    """As it really is: the service writes it after looking at the process."""

    CREATING = "creating"
    STARTING = "starting"
    READY = "ready"
    DEGRADED = "degraded"
    FAILED = "failed"
    STOPPED = "stopped"
    DELETING = "deleting"

    @property
    def final(self) -> bool:
        """Nothing more will happen unless somebody asks for it."""
        return self in (EndpointState.READY, EndpointState.FAILED, EndpointState.STOPPED, EndpointState.DEGRADED)


class DeploymentState(StrEnum):
    """Whether the server has loaded the model."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """The server has tried."""
        return self is not DeploymentState.STARTING


class GateState(StrEnum):
    """Where a deployment's latest gate stands."""

    NONE = "none"
    QUEUED = "queued"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    NO_VERDICT = "no_verdict"

    @property
    def final(self) -> bool:
        """No gate is queued or running."""
        return self not in (GateState.QUEUED, GateState.RUNNING)


@dataclass(frozen=True, slots=True)
class EndpointLimits:
    """What one worker accepts (docs/scoring-contract.md)."""

    max_body_mb: float = 16
    max_rows: int = 10_000
    header_timeout_s: float = 10
    body_timeout_s: float = 10
    idle_timeout_s: float = 75
    max_concurrent: int = 200
    max_header_kb: int = 64
    max_connections: int = 10_000
    workers: int = 1
    swagger_requires_key: bool = False
    cors_origins: tuple[str, ...] = ()
    app_insights: bool = True
    """Whether its requests are recorded."""
    collect_model_data: bool = False
    """Whether inputs and answers of clients are kept, of `collect_sample_pct` percent of the requests."""
    collect_sample_pct: float = 100.0
    masked_columns: tuple[str, ...] = ()
    """Columns of which no value is kept."""

    def __post_init__(self) -> None:
        for name, (low, high) in _LIMITS.items():
            check_whole(name, getattr(self, name), low, high)
        check_number("max_body_mb", self.max_body_mb, 0, 4096, above=True)
        for name in ("header_timeout_s", "body_timeout_s", "idle_timeout_s"):
            check_number(name, getattr(self, name), 0, 86_400, above=True)
        for name in ("swagger_requires_key", "app_insights", "collect_model_data"):
            check_flag(name, getattr(self, name))
        check_number("collect_sample_pct", self.collect_sample_pct, 0, 100, above=True)
        for name, what in (("cors_origins", "origins"), ("masked_columns", "names")):
            if isinstance(value := getattr(self, name), str):
                raise SpecInvalid(f"{name} is '{value}', expected a list of {what}")
        for column in self.masked_columns:
            check_text("A column in masked_columns", column)
        for origin in self.cors_origins:
            _check_origin(origin)

    def changed(self, changes: Mapping[str, Any]) -> "EndpointLimits":
        """With other values of those that are named. Raises SpecInvalid."""
        known = [limit.name for limit in fields(self)]
        if unknown := sorted(set(changes) - set(known)):
            raise SpecInvalid(f"There is no limit '{unknown[0]}'", hint=f"Limits: {', '.join(known)}")
        return replace(self, **changes)


_LIMITS: Mapping[str, tuple[int, int]] = {
    "max_rows": (1, 10_000_000),
    "max_concurrent": (1, 100_000),
    "max_header_kb": (1, 1024),
    "max_connections": (1, 1_000_000),
    "workers": (1, 256),
}


def _check_origin(origin: Any) -> None:
    """`*`, or a scheme, a host and perhaps a port, as browsers send them in `Origin`."""
    check_text("An origin in cors_origins", origin)
    parts = urlsplit(origin)
    whole = parts.scheme and parts.netloc and origin == f"{parts.scheme}://{parts.netloc}"
    if origin != "*" and not whole:
        raise SpecInvalid(f"'{origin[:60]}' is not an origin", hint="Like https://example.org, without a path, or *")


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """An endpoint to create."""

    name: str
    address: str = ""
    """`HOST:PORT` to listen at, where a backend lets one choose; empty: it picks one, once, and keeps it."""
    description: str = ""
    limits: EndpointLimits = field(default_factory=EndpointLimits)

    def __post_init__(self) -> None:
        check_text("An endpoint's name", self.name)
        if not names.ENDPOINT.fullmatch(self.name):
            raise SpecInvalid(
                f"'{self.name}' is not an endpoint name: 3 to 32 lower-case letters, digits and dashes, a letter first",
                hint=f"Try '{names.endpoint_name(self.name)}'",
            )
        check_text("address", self.address, empty=True)
        check_text("description", self.description, empty=True)


@dataclass(frozen=True, slots=True)
class GateBudget:
    """What the performance part of the gate asks for. A loosened budget is stored with the report."""

    p99_ms: float = 50.0
    requests_per_s: float = 50.0
    rows: int = 2
    concurrency: int = 4
    window_s: float = 3.0
    windows: int = 3

    def __post_init__(self) -> None:
        check_number("p99_ms", self.p99_ms, 0, 3_600_000, above=True)
        check_number("requests_per_s", self.requests_per_s, 0, 10_000_000)
        check_whole("rows", self.rows, 1, 1_000_000)
        check_whole("concurrency", self.concurrency, 1, 10_000)
        check_number("window_s", self.window_s, 0, 3600, above=True)
        check_whole("windows", self.windows, 1, 100)

    def looser_than(self, other: "GateBudget") -> bool:
        """Whether something passes here that `other` would refuse."""
        return (
            self.p99_ms > other.p99_ms
            or self.requests_per_s < other.requests_per_s
            or self.rows < other.rows
            or self.concurrency < other.concurrency
            or self.windows > other.windows
            or self.window_s < other.window_s
        )


@dataclass(frozen=True, slots=True)
class DeploymentSpec:
    """A model version to put behind an endpoint. The gate or `endpoints.set_traffic` gives it traffic, nothing here."""

    endpoint: str
    model: str
    model_version: int = 0
    name: str = ""
    """Empty: `v{model version}`."""
    legacy_reply: bool = False
    primary_form: str = "v1"
    unseen_categories: str = "as_signature"
    budget: GateBudget = field(default_factory=GateBudget)
    instances: int = 0
    """So many machines serve it, where a backend has machines to choose; 0: as many as its settings say."""
    size: str = ""
    """Their size, such as Standard_DS3_v2; empty: that of the settings."""

    def __post_init__(self) -> None:
        check_text("endpoint", self.endpoint)
        check_text("model", self.model)
        check_whole("instances", self.instances, 0, 1000)
        check_text("size", self.size, empty=True)
        check_whole("model_version", self.model_version, 0, 1_000_000_000)
        check_flag("legacy_reply", self.legacy_reply)
        if self.name and not names.DEPLOYMENT.fullmatch(self.name):
            raise SpecInvalid(
                f"'{self.name[:60]}' is not a deployment name: 1 to 32 lower-case letters, digits and dashes, "
                f"got {len(self.name)} characters",
                hint="Begin and end with a letter or digit, as in blue or v2",
            )
        if self.primary_form not in FORMS:
            raise SpecInvalid(f"primary_form is v1, v2 or mlflow, got '{self.primary_form}'")
        if self.unseen_categories not in ("as_signature", "accept"):
            raise SpecInvalid(f"unseen_categories is as_signature or accept, got '{self.unseen_categories}'")


def check_traffic(traffic: Mapping[str, int], mirror: Mapping[str, int] | None) -> None:
    """Raises SpecInvalid for percents that are none, and for sums that no traffic and no mirror can have."""
    for name, percent in (*traffic.items(), *(mirror or {}).items()):
        if type(percent) is not int:
            raise SpecInvalid(f"The percent of '{name}' is {percent!r}, expected a whole number")
    if any(not 0 <= percent <= 100 for percent in traffic.values()) or sum(traffic.values()) not in (0, 100):
        given = ", ".join(f"{name} {percent} %" for name, percent in traffic.items())
        raise SpecInvalid(f"Traffic must add up to 100 % (or 0 % for all), got: {given}")
    if mirror and (sum(mirror.values()) > MIRROR_MAX_PCT or min(mirror.values()) < 0):
        raise SpecInvalid(f"Mirrored traffic is 0 to {MIRROR_MAX_PCT} % in total, got {sum(mirror.values())} %")


def check_answered_for(force: bool, by: str) -> None:
    """Raises SpecInvalid for traffic that is forced by nobody."""
    if force and not by:
        raise SpecInvalid(
            "Forced traffic needs the name of a person, which is recorded", hint="Give your name with the request"
        )


def check_expected(endpoint: str, traffic: Mapping[str, int], expected: Mapping[str, int]) -> None:
    """Raises StateChanged where the traffic is not what the caller has seen; a share of 0 is none."""
    if any(traffic.get(name, 0) != expected.get(name, 0) for name in {*traffic, *expected}):
        now = ", ".join(f"{name} {percent} %" for name, percent in traffic.items() if percent) or "none"
        raise StateChanged(
            f"The traffic of endpoint '{endpoint}' has changed meanwhile: it is {now}",
            hint="Look at it, and ask again where you still want the change",
        )


def check_limits(endpoint: str, limits: EndpointLimits, expected: Mapping[str, Any]) -> None:
    """Raises StateChanged where a limit is not what the caller has seen."""
    for name, value in expected.items():
        if (now := getattr(limits, name, None)) != value:
            raise StateChanged(
                f"{name} of endpoint '{endpoint}' has changed meanwhile: it is {now}, not {value}",
                hint="Look at it, and ask again where you still want the change",
            )


@dataclass(frozen=True, slots=True)
class Deployment:
    """One model version behind an endpoint, as it is now."""

    name: str
    endpoint: str
    model: str
    model_version: int
    state: DeploymentState
    gate: GateState
    created_at: float
    legacy_reply: bool = False
    primary_form: str = "v1"
    unseen_categories: str = "as_signature"
    error: str = ""
    """Why it does not load: the last line of the server's traceback."""
    gate_job_id: str = ""
    forced_by: str = ""
    """Who gave it traffic without a passed gate; empty: nobody."""
    passed_before: bool = False
    """The last gate that came to a verdict has passed, whatever the latest one does."""

    @property
    def proven(self) -> bool:
        """It may take traffic, also while it is proven anew, or when that came to no verdict."""
        return self.passed_before or self.gate is GateState.PASSED


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as it is now."""

    name: str
    state: EndpointState
    scoring_uri: str
    """Where rows are sent: its root and `/score`."""
    swagger_uri: str
    traffic: Mapping[str, int]
    mirror: Mapping[str, int]
    deployments: tuple[Deployment, ...]
    limits: EndpointLimits
    created_at: float
    description: str = ""
    error: str = ""
    restarts: int = 0
    settled: bool = False
    """The server has taken up every change: traffic, keys and deployments are in force as they stand here."""
    docs_uri: str = ""
    """The endpoint's own page, where its operations can be tried; empty where it has none."""
    metrics_uri: str = ""
    """Where the endpoint tells its counters; empty where it tells none."""

    @property
    def live(self) -> tuple[Deployment, ...]:
        """The deployments that answer normal requests."""
        return tuple(d for d in self.deployments if self.traffic.get(d.name, 0) > 0)

    def chosen(self, name: str) -> Deployment | None:
        """The deployment of that name; for an empty one, that with the most traffic. None where there is none."""
        if name:
            return next((d for d in self.deployments if d.name == name), None)
        return max(self.live, key=lambda d: self.traffic[d.name], default=None)

    def listens_at(self, url: str) -> bool:
        """Whether an address is this endpoint's: scheme, host and port are the same, and the path its root or /score.

        Whoever is about to send its key asks here: `http://127.0.0.1:80` only begins like `http://127.0.0.1:8001`, and
        endpoints that share a host differ in the path of their root.
        """
        own, given = urlsplit(self.scoring_uri), urlsplit(url)
        return _origin(given) == _origin(own) and given.path.rstrip("/") in (own.path.removesuffix("/score"), own.path)


def _origin(url: SplitResult) -> tuple[str, str, str, int | None]:
    """Scheme, credentials, host and port: what makes two addresses one origin to a browser."""
    try:
        port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    except ValueError:  # no number, or none that a port can have
        port = None
    credentials, _, _ = url.netloc.rpartition("@")
    return url.scheme, credentials, url.hostname or "", port


@dataclass(frozen=True, slots=True)
class EndpointKeys:
    """Both keys in the clear: for the few places of the product that may show them, and no log."""

    primary: str = field(repr=False)
    secondary: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ScoreReply:
    """What the endpoint answered: parsed JSON where the body is JSON, else the text."""

    status: int
    body: Any
    headers: Mapping[str, str]
    elapsed_ms: float
