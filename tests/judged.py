"""What a trial of the bank story looks like when it is judged: small, but it hangs together."""

from collections.abc import Mapping
from typing import Any

from core.domain.explanation import (
    ColumnImportance,
    Curve,
    CurveName,
    Explanation,
    Fairness,
    Group,
    Importance,
    MetricSpread,
    PairedDifference,
    PartialDependence,
    Scale,
    ThresholdTable,
    TrialCurves,
    Winner,
)

WINNER = Winner(
    8, "trial 8 (Voting ensemble) won, significantly better than each of the others", "AUC_weighted", (7,), ()
)
FOLDS = (
    MetricSpread("AUC_weighted", 0.9471, (0.9461, 0.9476, 0.9481)),
    MetricSpread("log_loss", 0.1729, (0.1712, 0.1744, 0.1731)),
)
IMPORTANCE = Importance(
    "AUC_weighted",
    2_000,
    (ColumnImportance("age", 0.031, 0.002, 0.41), ColumnImportance("job", 0.004, 0.001, 0.09)),
    Scale.LOG_ODDS,
    "yes",
)


def curves() -> TrialCurves:
    """One point at each end, and one between."""
    found = [
        Curve(CurveName.ROC, (0.0, 0.1, 1.0), (0.0, 0.8, 1.0), "yes", 0.85),
        Curve(CurveName.PRECISION_RECALL, (0.0, 0.8, 1.0), (1.0, 0.5, 0.1), "yes", 0.6),
        Curve(CurveName.CALIBRATION, (0.1, 0.9), (0.1, 0.8), "yes", rows=(900, 100)),
        Curve(CurveName.LIFT, (0.1, 1.0), (5.0, 1.0), "yes"),
        Curve(CurveName.GAINS, (0.0, 0.1, 1.0), (0.0, 0.5, 1.0), "yes"),
    ]
    return TrialCurves(1_000, ("no", "yes"), tuple(found), ((820, 80), (20, 80)))


def thresholds() -> ThresholdTable:
    """Of 1,000 rows 100 are of the class; the further up the threshold, the fewer are said to be."""
    steps = [at / 1000 for at in range(1001)]
    tp = tuple(round(100 * (1 - t**3)) for t in steps)
    fp = tuple(round(900 * (1 - t) ** 3) for t in steps)
    return ThresholdTable("yes", tuple(steps), tp, fp, tuple(900 - n for n in fp), tuple(100 - n for n in tp))


def dependence(column: str) -> PartialDependence:
    """It rises."""
    return PartialDependence(column, (20, 40, 60), (0.08, 0.11, 0.2), (0.01, 0.02, 0.04), (0.2, 0.3, 0.5), 500, "yes")


def fairness(column: str, threshold: float) -> Fairness:
    """Two groups that are told apart, and one of too few rows."""
    return Fairness(
        column,
        "yes",
        threshold,
        (
            Group("admin.", 500, 0.13, 0.12, 0.6, 0.04, 0.6, 0.95),
            Group("blue-collar", 400, 0.07, 0.03, 0.4, 0.01, 0.6, 0.94),
            Group("unknown", 5, 0.2, 0.8, None, None, None, None),
        ),
    )


def explanation(row: Mapping[str, Any]) -> Explanation:
    """The older, the more likely."""
    age = float(row.get("age") or 0)
    by_age = (age - 40) / 20
    share = min(0.99, max(0.01, 0.1 + by_age / 10))
    return Explanation(
        -2.1, {"age": by_age, "job": 0.25}, -1.85 + by_age, class_name="yes", probabilities=(1 - share, share)
    )


def pair(first: int, second: int) -> PairedDifference:
    """Trial 8 is better than the others, which cannot be told apart."""
    gain = 0.002 if first == 8 else -0.002 if second == 8 else 0.0002
    p_value = 0.001 if 8 in (first, second) else 0.6
    return PairedDifference("AUC_weighted", 0.95 + gain, 0.95, gain, gain - 0.001, gain + 0.001, p_value, "DeLong")
