"""What a fake workspace says of an endpoint's life: plausible values of Bank Marketing, which a test may replace."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.domain.alerts import Alert, AlertEvent, AlertMetric, AlertRule, AlertState, UnreadableAlert
from core.domain.drift import Bins, ColumnDrift, DriftReport, DriftVerdict, PredictionBucket, Predictions
from core.domain.monitoring import (
    Availability,
    AvailabilityBucket,
    DeploymentCourse,
    Disagreement,
    ExceptionGroup,
    Refusal,
    TelemetryBucket,
    TelemetrySummary,
)
from core.domain.outcomes import CalibrationBin, FeedbackReceipt, LiveQuality, Measured, Unmatched

NOW = 1_800_000_000.0
DAY_S = 86_400.0
NUMBERS = Bins(("17 to 30", "30 to 40", "40 to 50", "50 to 98"), (0.25, 0.4, 0.25, 0.1), (0.1, 0.25, 0.35, 0.3))
JOBS = Bins(("admin.", "technician", "other", "unseen"), (0.5, 0.3, 0.2, 0.0), (0.48, 0.3, 0.2, 0.02))
SCORES = Bins(("0 to 0.2", "0.2 to 0.4", "0.4 to 1"), (0.7, 0.2, 0.1), (0.68, 0.21, 0.11))
KS, CHI2 = "Kolmogorov-Smirnov", "chi-squared"


def columns(now: float) -> tuple[ColumnDrift, ...]:
    """One that matters, one that has drifted a little, one that is as it was."""
    return (
        ColumnDrift(
            "age", DriftVerdict.MATTERS, 4_100, 0.41, KS, 0.24, 1e-30, 0.62, importance=0.31, began=now - DAY_S / 2,
            bins=NUMBERS,
        ),
        ColumnDrift(
            "job", DriftVerdict.DRIFTED, 4_100, 0.22, CHI2, 90.0, 1e-9, 0.04, importance=0.02, began=now - 7_200,
            bins=JOBS, unseen={"astronaut": 80},
        ),
        ColumnDrift("euribor3m", DriftVerdict.SAME, 4_100, 0.01, KS, 0.01, 0.8, 0.02, importance=0.4, bins=NUMBERS),
    )  # fmt: skip


def drift(now: float = NOW) -> DriftReport:
    """A day with 4,100 rows."""
    score = ColumnDrift("", DriftVerdict.SAME, 4_100, 0.03, KS, 0.02, 0.4, 0.05, bins=SCORES)
    model = ("v3", "bank-marketing", 3)
    return DriftReport("bank-marketing", *model, now - DAY_S, now, 2_050, 4_100, 200, columns(now), score)


def predictions(now: float = NOW) -> Predictions:
    """A day in four buckets, the second of which is empty."""
    width_s = DAY_S / 4
    counts = ((900, 100, 0.12), (0, 0, None), (1_300, 200, 0.14), (1_400, 200, 0.13))
    buckets = tuple(
        PredictionBucket(now - DAY_S + at * width_s, width_s, no + yes, {"no": no, "yes": yes} if no else {}, mean)
        for at, (no, yes, mean) in enumerate(counts)
    )
    return Predictions(
        "bank-marketing", "v3", now - DAY_S, now, 4_100, buckets, (0.0, 0.25, 0.5, 0.75, 1.0), (3_200, 500, 300, 100),
        (0.8, 0.1, 0.07, 0.03), "yes",
    )  # fmt: skip


def quality(now: float = NOW) -> LiveQuality:
    """A month in which 612 outcomes came."""
    calibration = tuple(
        CalibrationBin(said, Measured(came, came - 0.05, came + 0.05), 200)
        for said, came in ((0.1, 0.09), (0.3, 0.34), (0.7, 0.66))
    )
    return LiveQuality(
        "bank-marketing", "v3", now - 30 * DAY_S, now, 612, 4_100, 50,
        {"AUC_weighted": Measured(0.931, 0.905, 0.957), "accuracy": Measured(0.902, 0.88, 0.92)},
        {"AUC_weighted": 0.9492, "accuracy": 0.9182}, calibration, Measured(1.21, 1.02, 1.4),
    )  # fmt: skip


def exceptions(now: float = NOW) -> tuple[ExceptionGroup, ...]:
    where = "score.py:41 in predict"
    traceback = (
        f'Traceback (most recent call last):\n  File "{where.split(":")[0]}", line 41\nValueError: no such class'
    )
    newest = ("5b1c0004-2f0e-4c1b",)
    return (ExceptionGroup("ValueError", where, 4, now - 900, now - 60, "no such class", traceback, ("v3",), newest),)


def refusals(now: float = NOW) -> tuple[Refusal, ...]:
    return (
        Refusal("unseen_category", "job", 17, "astronaut", now - 30),
        Refusal("missing_column", "age", 3, "", now - 300),
    )  # fmt: skip


def course(summary: TelemetrySummary) -> tuple[DeploymentCourse, ...]:
    """All of it by the deployments that the summary names; without any, nothing."""
    return tuple(DeploymentCourse(name, False, summary.buckets) for name in summary.by_deployment)


def availability(since: float, until: float, buckets: int) -> Availability:
    """It could be reached but for the first tenth, in which nobody looked."""
    width_s = (until - since) / buckets
    blind = buckets // 10
    made = tuple(
        AvailabilityBucket(since + at * width_s, width_s, 0.0 if at < blind else width_s, 0.0) for at in range(buckets)
    )
    return Availability("bank-marketing", since, until, sum(b.up_s for b in made), 0.0, made)


def idle(summary: TelemetrySummary) -> TelemetrySummary:
    """The same with an interval of no request in the middle."""
    at = len(summary.buckets) // 2
    gap = summary.buckets[at]
    empty = TelemetryBucket(gap.at, gap.width_s, 0, 0, 0, 0, None, None, None)
    return replace(summary, buckets=(*summary.buckets[:at], empty, *summary.buckets[at + 1 :]))


RULE = AlertRule("too-slow", "bank-marketing", AlertMetric.P99, 50.0)


def alert(rule: AlertRule, now: float, state: AlertState = AlertState.OK, value: float | None = 3.9) -> Alert:
    return Alert(rule, state, value, now - 600, now - 5, "The 99th percentile of bank-marketing is 3.9 ms")


@dataclass
class Monitored:
    """What `FakeRecords` says, beside the requests."""

    drift: DriftReport | None = field(default_factory=drift)
    predictions: Predictions | None = field(default_factory=predictions)
    quality: LiveQuality = field(default_factory=quality)
    exceptions: tuple[ExceptionGroup, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    disagreement: tuple[Disagreement, ...] = ()
    availability: Availability | None = None
    """None: reached all the time in which somebody looked."""
    course: tuple[DeploymentCourse, ...] | None = None
    """None: the summary's own."""
    alerts: dict[str, Alert] = field(default_factory=dict)
    unreadable_alerts: tuple[UnreadableAlert, ...] = ()
    events: tuple[AlertEvent, ...] = ()
    limits: dict[str, float | None] = field(default_factory=dict)

    def receipt(self, endpoint: str, outcomes: Mapping[tuple[str, int], str]) -> FeedbackReceipt:
        """Outcomes of requests whose id begins with a `?` match nothing."""
        lost = [key for key in outcomes if key[0].startswith("?")]
        examples = tuple(Unmatched(*key, "No kept answer has this request id") for key in lost[:20])
        return FeedbackReceipt(endpoint, len(outcomes), len(outcomes) - len(lost), 0, len(lost), examples)
