"""What was proven about an endpoint, and by what evidence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.domain.endpoint import GateBudget
from core.domain.errors import SpecInvalid
from core.domain.keys import check_header, check_key
from core.domain.plain import LEFT_OUT


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint to prove, load or have score: where it is, its key, and headers that every request carries."""

    url: str
    """The server's root, without a trailing slash."""
    key: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Such as the one that selects a deployment."""
    path: str = "/score"
    """Where it scores, below the root."""
    form: str = "v1"
    """The request form in which it is sent rows; see `core.contract.forms`."""

    def __post_init__(self) -> None:
        check_key(self.key, "of the endpoint")
        for name, value in self.headers.items():
            check_header(value, f"The header {name}")
        check_header(self.path, "The path of an endpoint")
        if not self.path.startswith("/") or " " in self.path:
            raise SpecInvalid(f"A path starts with a slash and contains no spaces, got '{self.path}'")

    @property
    def sent(self) -> Mapping[str, str]:
        """The headers of a request that scores, the key among them."""
        return ({"Authorization": f"Bearer {self.key}"} if self.key else {}) | dict(self.headers)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check. `passed` is None where it does not apply or gave no verdict; then the evidence says which."""

    name: str
    part: str
    """parity, contract, semantic, wire, performance or shadow."""
    passed: bool | None
    evidence: str
    curl: str = ""
    """A minimal reproduction of a violation, or one request of what was tried; reads the key from SLIPWAY_KEY."""
    no_verdict: bool = False
    """True where the check applies but could not be judged; `passed` is then None."""
    about: str = ""
    """What holds when it passes, in plain words."""


def verdict(checks: Sequence[CheckResult]) -> bool | None:
    """False where a check failed; else None where one could not be judged; else True."""
    if any(check.passed is False for check in checks):
        return False
    return None if any(check.no_verdict for check in checks) else True


@dataclass(frozen=True, slots=True)
class GateProgress:
    """A gate as far as it is: what it has judged, in the order in which it was, and which parts are over.

    A part is over when the gate says so, since nothing more of it will be judged. That of what ran before gates said it
    is never known.
    """

    checks: tuple[CheckResult, ...] = ()
    over: tuple[str, ...] = ()


DEPTHS = ("default", "full")
"""How thoroughly an endpoint may be proven."""


@dataclass(frozen=True, slots=True)
class GateSpec:
    """The gate of one deployment, as it is queued."""

    endpoint: str
    deployment: str = ""
    depth: str = "default"
    budget: GateBudget = field(default_factory=GateBudget)
    loosened_by: str = ""
    """Who answers for a budget looser than the deployment's own; empty: nobody has to."""
    first_gate: str | None = field(default=None, metadata=LEFT_OUT)
    """Of a gate that was asked for later: the job of the one that came with the deployment, which tells it from a later
    deployment of the same name."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """A gate's verdict, None where it has none, and the report that says why."""

    passed: bool | None
    report_id: str = ""


@dataclass(frozen=True, slots=True)
class GateReport:
    """All checks of one gate run. It passes when none failed and none lacks a verdict."""

    id: str
    endpoint: str
    deployment: str
    model: str
    checks: tuple[CheckResult, ...]
    budget: GateBudget
    depth: str
    created_at: float
    duration_s: float
    loosened_by: str = ""
    """Who asked for a looser budget than the deployment's own; empty: nobody."""

    @property
    def verdict(self) -> bool | None:
        """Whether it passed; None where nothing failed and something could not be judged."""
        return verdict(self.checks)

    @property
    def passed(self) -> bool:
        """Nothing failed, and everything that applies was judged."""
        return self.verdict is True

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """The checks that failed."""
        return tuple(c for c in self.checks if c.passed is False)

    @property
    def undecided(self) -> tuple[CheckResult, ...]:
        """The checks that apply and could not be judged."""
        return tuple(c for c in self.checks if c.no_verdict)


TOOLS = ("", "ab")
CONNECTIONS_MAX = 10_000
RATE_MAX_PER_S = 100_000.0
"""Several times what a load client of ours can send: more would cost its memory and tell nothing."""


@dataclass(frozen=True, slots=True)
class LoadSpec:
    """A load to drive: closed loop, or open loop where `rate_per_s` is given.

    Closed: `concurrency` clients, each sends its next request when the last one is answered. Open: requests are due at
    a fixed rate whatever the server does, and a latency counts from when its request was due, so that a server which
    stalls is charged for the requests it kept waiting (no coordinated omission); `concurrency` is then the largest
    number of connections.
    """

    target: Target
    duration_s: float = 10.0
    concurrency: int = 1
    rows: int = 2
    warmup_s: float = 0.5
    max_requests: int = 0
    """0: no limit but the duration."""
    rate_per_s: float = 0.0
    """0: closed loop."""
    fresh_connections: bool = False
    """A new connection for every request, as clients without keep-alive make them."""
    deployment: str = ""
    """Empty: as traffic decides."""
    label: str = ""
    """What people call this load, such as a preset's name."""
    tool: str = ""
    """`ab` for Apache Benchmark, where it is installed; empty for Slipway's own client."""
    endpoint: str = ""
    """The workspace's endpoint that listens at the target; filled in when the load becomes a job."""

    def __post_init__(self) -> None:
        if not self._sound:
            raise SpecInvalid(
                f"A load needs duration_s > 0, concurrency of 1 to {CONNECTIONS_MAX:,}, rows >= 1, rate_per_s of 0 to "
                f"{RATE_MAX_PER_S:,.0f}, warmup_s >= 0 and max_requests >= 0, got {self.duration_s!r}, "
                f"{self.concurrency!r}, {self.rows!r}, {self.rate_per_s!r}, {self.warmup_s!r}, {self.max_requests!r}"
            )
        check_header(self.deployment, "The deployment of a load test")
        if self.tool not in TOOLS:
            raise SpecInvalid(f"A load's tool is 'ab' or '' (Slipway's own), got '{self.tool}'")

    @property
    def keyless(self) -> "LoadSpec":
        """The same without the target's key: what may be stored. Who drives it takes the key from the endpoint."""
        return replace(self, target=replace(self.target, key=""))

    @property
    def _sound(self) -> bool:
        """Every number is within its bounds; what is no number (nan, or a text) is within none."""
        numbers = (self.duration_s, self.warmup_s, self.rate_per_s)
        wholes = (self.concurrency, self.rows, self.max_requests)
        if not all(type(n) in (int, float) for n in numbers) or not all(type(n) is int for n in wholes):
            return False
        return (
            0 < self.duration_s < math.inf
            and 0 <= self.warmup_s < math.inf
            and 1 <= self.concurrency <= CONNECTIONS_MAX
            and 0 <= self.rate_per_s <= RATE_MAX_PER_S
            and self.rows >= 1
            and self.max_requests >= 0
        )


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The report that a load has left."""

    report_id: str


@dataclass(frozen=True, slots=True)
class LoadSecond:
    """One second of a load, counted from the end of its warm-up."""

    second: int
    requests: int
    failed: int
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load met, or has met so far. Throughput and percentiles are of what got a 200, `failed` is the rest.

    With `rate_per_s` (open loop) latencies count from when a request was due; percentiles come from an HDR histogram
    and are exact to 0.1 %.
    """

    url: str
    requests: int
    failed: int
    duration_s: float
    requests_per_s: float
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    concurrency: int
    rows: int
    by_status: Mapping[int, int] = field(default_factory=dict)
    """Status 0: no answer."""
    id: str = ""
    created_at: float = 0.0
    p90_ms: float = 0.0
    p999_ms: float = 0.0
    rate_per_s: float = 0.0
    """The rate that was asked for; 0: closed loop."""
    fresh_connections: bool = False
    errors: Mapping[str, int] = field(default_factory=dict)
    """Requests without an answer, by cause: refused, reset, timed out, not HTTP, not sent."""
    put_off: int = 0
    """Times that a busy server asked to come again later, and that was done: no failures, nor among the requests."""
    histogram: tuple[tuple[float, int], ...] = ()
    """Latencies as (upper bound in ms, requests), ascending, empty buckets left out."""
    seconds: tuple[LoadSecond, ...] = ()
    ceiling_requests_per_s: float = 0.0
    """What this load client reaches against a server that answers at once, measured here; 0: not measured."""
    client_bound: bool = False
    """The client, not the server, was the bottleneck: the figures say what this machine can send."""
    endpoint: str = ""
    deployment: str = ""
    label: str = ""
    tool: str = ""
    output: str = ""
    """What another tool printed, without the key."""
