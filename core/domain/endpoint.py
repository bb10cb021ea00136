"""Online endpoints, their deployments, traffic and keys."""

import re
import unicodedata
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, urlsplit

from core.domain.errors import SpecInvalid

NAME_RULE = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")
"""Azure ML's rule for endpoint names: 3 to 32 characters, a letter first, no dash at the end."""


LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
"""Latin letters that are no plain letter with a mark."""


def endpoint_name(text: str) -> str:
    """A valid endpoint name made of any table's or model's name: `Données Été` -> `donnees-ete`.

    A name of which no letter is left (`状态`) gives one of its own, so that two such tables do not meet.
    """
    plain = unicodedata.normalize("NFKD", text.lower().translate(LETTERS))
    name = re.sub(r"[^a-z0-9]+", "-", "".join(c for c in plain if not unicodedata.combining(c))).strip("-")
    if not name and not text.isascii():
        name = f"e-{zlib.crc32(text.encode()):08x}"
    if not name or not name[0].isalpha():
        name = f"e-{name}".rstrip("-")
    name = name[:32].rstrip("-")
    return name if len(name) >= 3 else f"{name}-endpoint"


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
        """Nothing more will happen unless somebody asks."""
        return self in (EndpointState.READY, EndpointState.FAILED, EndpointState.STOPPED, EndpointState.DEGRADED)


class DeploymentState(StrEnum):
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"

    @property
    def final(self) -> bool:
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
    collect_model_data: bool = False


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """An endpoint to create. Port 0: the service picks a free one, once, and keeps it."""

    name: str
    port: int = 0
    description: str = ""
    limits: EndpointLimits = field(default_factory=EndpointLimits)

    def __post_init__(self) -> None:
        if not NAME_RULE.fullmatch(self.name):
            raise SpecInvalid(
                f"'{self.name}' is not an endpoint name: 3 to 32 lower-case letters, digits and dashes, a letter first",
                hint=f"Try '{endpoint_name(self.name)}'",
            )
        if not 0 <= self.port <= 65_535:
            raise SpecInvalid(f"A port is 0 to 65535, got {self.port}")


@dataclass(frozen=True, slots=True)
class GateBudget:
    """What the performance part of the gate asks for. A loosened budget is stored with the report."""

    p99_ms: float = 50.0
    requests_per_s: float = 50.0
    rows: int = 2
    concurrency: int = 4
    window_s: float = 3.0
    windows: int = 3

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
    """A model version to put behind an endpoint. Traffic is given by the gate or by `set_traffic`, never here."""

    endpoint: str
    model: str
    model_version: int = 0
    name: str = ""
    """Empty: `v{model version}`."""
    legacy_reply: bool = False
    primary_form: str = "v1"
    unseen_categories: str = "as_signature"
    budget: GateBudget = field(default_factory=GateBudget)

    def __post_init__(self) -> None:
        if self.name and not NAME_RULE.fullmatch(f"d-{self.name}"[:32]):
            raise SpecInvalid(f"'{self.name}' is not a deployment name", hint="Lower-case letters, digits, dashes")
        if self.primary_form not in ("v1", "v2", "mlflow"):
            raise SpecInvalid(f"primary_form is v1, v2 or mlflow, got '{self.primary_form}'")
        if self.unseen_categories not in ("as_signature", "accept"):
            raise SpecInvalid(f"unseen_categories is as_signature or accept, got '{self.unseen_categories}'")


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
    swagger_uri: str
    port: int
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

    @property
    def live(self) -> tuple[Deployment, ...]:
        """The deployments that answer normal requests."""
        return tuple(d for d in self.deployments if self.traffic.get(d.name, 0) > 0)

    def listens_at(self, url: str) -> bool:
        """Whether an address is this endpoint's: scheme, host and port are the same, and the path its root or /score.

        Whoever is about to send its key asks here: `http://127.0.0.1:80` only begins like `http://127.0.0.1:8001`.
        """
        own, given = urlsplit(self.scoring_uri), urlsplit(url)
        return _origin(given) == _origin(own) and given.path.rstrip("/") in ("", own.path)


def _origin(url: SplitResult) -> tuple[str, str, str, int | None]:
    """Scheme, credentials, host and port, as the browser compares origins."""
    try:
        port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    except ValueError:  # no number, or none that a port can have
        port = None
    credentials, _, _ = url.netloc.rpartition("@")
    return url.scheme, credentials, url.hostname or "", port


@dataclass(frozen=True, slots=True)
class EndpointKeys:
    """Both keys in the clear: for the four doors of the product that may show them, and no log."""

    primary: str = field(repr=False)
    secondary: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ScoreReply:
    """What the endpoint answered: parsed JSON where the body is JSON, else the text."""

    status: int
    body: Any
    headers: Mapping[str, str]
    elapsed_ms: float
