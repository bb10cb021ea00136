"""Rules over what is monitored: when they fire, when they clear, whom they tell and what they start."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from core.domain.errors import SpecInvalid
from core.domain.rules import check_number, check_text, check_whole

PERCENT_MAX = 100.0
REQUESTS_NEEDED = 5
"""With fewer a share or a percentile of requests says nothing."""


class AlertMetric(StrEnum):
    """What a rule watches."""

    ERROR_RATE = "error_rate"
    """Failed requests (5xx and 424) of all, in percent."""
    REFUSED_RATE = "refused_rate"
    """Refused requests (other 4xx) of all, in percent."""
    P99 = "p99_ms"
    AVAILABILITY = "availability"
    """In percent of the time that is known: fires below its limit."""
    DRIFT = "drift"
    """Columns that have drifted, the score among them."""
    NO_TRAFFIC = "no_traffic"
    """Seconds since the last request."""

    @property
    def fires_below(self) -> bool:
        """Whether low values are the bad ones."""
        return self is AlertMetric.AVAILABILITY

    @property
    def is_percent(self) -> bool:
        """Whether it lies between 0 and 100."""
        return self in (AlertMetric.ERROR_RATE, AlertMetric.REFUSED_RATE, AlertMetric.AVAILABILITY)

    @property
    def window_s(self) -> float:
        """The window that suits it where none is named: drift takes a day's rows to see."""
        return 86_400.0 if self is AlertMetric.DRIFT else 300.0


class AlertState(StrEnum):
    """Whether a rule's condition holds."""

    OK = "ok"
    PENDING = "pending"
    """It holds, but not yet for long enough."""
    FIRING = "firing"
    UNKNOWN = "unknown"
    """There is too little to say; a firing rule goes on firing."""


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Fire when `metric` of `endpoint` is beyond `limit` for `for_s`; clear when it is back behind `clear` for as long.

    `clear` is the hysteresis: None: 10 % on the good side of the limit. One rule never fires twice in a row.
    """

    name: str
    endpoint: str
    metric: AlertMetric
    limit: float
    clear: float | None = None
    window_s: float = 300.0
    for_s: float = 0.0
    deployment: str = ""
    """Empty: all of them."""
    webhook: str = ""
    """An address that gets a POST with the alert as JSON when it fires and when it clears."""
    command: str = ""
    """A program that is run then, with the alert as JSON on its standard input."""
    pipeline: str = ""
    """A published pipeline that is run when it fires, such as Retrain and promote."""
    parameters: Mapping[str, str] | None = None
    """Of the pipeline's run."""
    requests_needed: int = REQUESTS_NEEDED
    """With fewer requests in the window a share or a percentile is not known."""

    def __post_init__(self) -> None:
        check_text("An alert's name", self.name)
        check_text("endpoint", self.endpoint)
        check_number("limit", self.limit, 0, PERCENT_MAX if self.metric.is_percent else 1e12)
        check_number("window_s", self.window_s, 0, 90 * 86_400, above=True)
        check_number("for_s", self.for_s, 0, 86_400)
        check_whole("requests_needed", self.requests_needed, 1, 1_000_000_000)
        if self.deployment and self.metric is AlertMetric.AVAILABILITY:
            raise SpecInvalid("The availability is of an endpoint as a whole, not of a deployment")
        _check_told(self)
        if self.clear is not None:
            check_number("clear", self.clear, 0, 1e12)
            if (self.clear < self.limit) if self.metric.fires_below else (self.clear > self.limit):
                side = "at least" if self.metric.fires_below else "at most"
                raise SpecInvalid(
                    f"clear is {self.clear:g}, expected {side} the limit of {self.limit:g}",
                    hint="An alert clears on the good side of its limit",
                )

    @property
    def clears_at(self) -> float:
        """Where it clears: at the limit or on its good side."""
        if self.clear is not None:
            return self.clear
        if self.metric.fires_below:  # a percentage: nothing is above 100
            return self.limit + 0.1 * max(0.0, 100.0 - self.limit)
        return self.limit * 0.9

    def is_bad(self, value: float) -> bool:
        """Whether a value is beyond the limit."""
        return value < self.limit if self.metric.fires_below else value > self.limit

    def is_good(self, value: float) -> bool:
        """Whether a value lets it clear; between the two a rule stays as it is."""
        return value >= self.clears_at if self.metric.fires_below else value <= self.clears_at


def _check_told(rule: AlertRule) -> None:
    """Whom it tells and what it starts: nothing that could never work."""
    if rule.webhook:
        try:
            parts = urlsplit(rule.webhook)
            sound = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            sound = False
        if not sound:
            raise SpecInvalid("webhook is none of http:// or https:// with a host")
    try:
        words = shlex.split(rule.command)
    except ValueError as e:
        raise SpecInvalid(f"command cannot be split into words: {e}", hint="Quotes come in pairs") from e
    if rule.command and not words:
        raise SpecInvalid("command names no program")
    if rule.parameters and not rule.pipeline:
        raise SpecInvalid("There are parameters, and no pipeline that they are for")


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule as it stands now."""

    rule: AlertRule
    state: AlertState
    value: float | None
    """The metric at the last look; None where it was not known."""
    since: float
    """When it came to this state."""
    looked_at: float | None = None
    """When the service looked last; None: never."""
    text: str = ""
    """What it says, in a sentence."""
    error: str = ""
    """Why the last message could not be sent, or the pipeline not be started; empty: it was."""
    run_id: str = ""
    """The run of a pipeline that it started last."""


@dataclass(frozen=True, slots=True)
class UnreadableAlert:
    """An alert that watches nothing, for its rule cannot be read."""

    name: str
    endpoint: str
    why: str


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """An alert that fired (`state` is firing) or cleared (ok)."""

    alert: str
    endpoint: str
    at: float
    state: AlertState
    value: float | None
    text: str
    id: str = ""
    """It is in every message that tells of this event: who gets one twice can see that."""
    error: str = ""
    """Why a message has not been taken, or the pipeline not been started."""
    run_id: str = ""
    """The run of a pipeline that it started."""
