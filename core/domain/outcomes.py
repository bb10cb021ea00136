"""What really happened to scored rows, and what it says of the model that scored them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.domain.rules import check_text, check_whole


@dataclass(frozen=True, slots=True)
class Outcome:
    """The truth about one scored row, which arrives later."""

    request_id: str
    row: int
    """Of the request, from 0."""
    actual: str
    """The class, or the number, as text."""

    def __post_init__(self) -> None:
        check_text("request_id", self.request_id)
        check_whole("row", self.row, 0, 1_000_000_000)
        check_text("actual", self.actual)


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An outcome that could not be joined to a kept answer, and why."""

    request_id: str
    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class FeedbackReceipt:
    """What became of the outcomes that were sent."""

    endpoint: str
    received: int
    matched: int
    replaced: int
    """Of the matched: rows whose outcome was known already and is now another, or the same again."""
    unmatched: int
    examples: tuple[Unmatched, ...] = ()
    """Of the unmatched, at most 20."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Rows with about the same score: what was said, and what came."""

    predicted: float
    actual: Measured
    rows: int


@dataclass(frozen=True, slots=True)
class LiveQuality:
    """How good the answers were, of rows whose outcome is known."""

    endpoint: str
    deployment: str
    since: float
    until: float
    rows: int
    """With a known outcome."""
    scored: int
    """Rows that were scored in the window, whether their outcome is known or not."""
    rows_needed: int
    metrics: Mapping[str, Measured] = field(default_factory=dict)
    """By Azure's names, as a training's; empty of too few rows, or of one class alone."""
    trained: Mapping[str, float] = field(default_factory=dict)
    """What training said of the same metrics."""
    calibration: tuple[CalibrationBin, ...] = ()
    cost: Measured | None = None
    """A decision's mean cost by the model's cost matrix; None where it has none."""
    reason: str = ""
    """Why there are no metrics, in a sentence."""
