"""What was proven about an endpoint, and by what evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.domain.endpoint import GateBudget
from core.domain.errors import SpecInvalid


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint to prove or load: where it is, its key, and headers that every request carries."""

    url: str
    """The server's root, without a trailing slash."""
    key: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check. `passed` is None where it does not apply or gave no verdict; then the evidence says which."""

    name: str
    part: str
    """parity, contract, semantic, wire, performance or shadow."""
    passed: bool | None
    evidence: str
    curl: str = ""
    """A minimal reproduction of a violation; reads the key from SLIPWAY_KEY."""
    no_verdict: bool = False
    """True where the check applies but could not be judged; `passed` is then None."""
    about: str = ""
    """What holds when it passes, in plain words."""


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

    @property
    def passed(self) -> bool:
        return not self.failed and not self.undecided

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        return tuple(c for c in self.checks if c.passed is False)

    @property
    def undecided(self) -> tuple[CheckResult, ...]:
        return tuple(c for c in self.checks if c.no_verdict)


@dataclass(frozen=True, slots=True)
class LoadSpec:
    """A closed-loop load: `concurrency` clients, each sends its next request when the last one is answered."""

    target: Target
    duration_s: float = 10.0
    concurrency: int = 1
    rows: int = 2
    warmup_s: float = 0.5
    max_requests: int = 0
    """0: no limit but the duration."""

    def __post_init__(self) -> None:
        if self.duration_s <= 0 or self.concurrency < 1 or self.rows < 1:
            raise SpecInvalid(
                f"A load needs duration_s > 0, concurrency >= 1 and rows >= 1, "
                f"got {self.duration_s}, {self.concurrency}, {self.rows}"
            )


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load met. Percentiles are over answered requests; `failed` counts all that was not a 200."""

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
    id: str = ""
    created_at: float = 0.0
