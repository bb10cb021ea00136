"""One rule for one verdict a column: beyond luck, and beyond the column's limit.

Beyond luck: the p-value, corrected for all columns and the score together, is below `LUCK`. Beyond the limit: the
population stability index is above it, for with enough rows any difference is beyond luck. A column that has drifted
matters where its index is large and the model leans on it: it has at least its fair share of the importance.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.domain.drift import LARGE_PSI, PSI_LIMIT, SCORE_LIMIT, Bins, ColumnDrift, DriftVerdict
from core.ml.drift.bands import bands
from core.ml.drift.distance import chi_squared, holm, kolmogorov_smirnov, psi, total_variation
from core.ml.drift.reference import ColumnReference, Counts, Reference
from core.ml.drift.tally import Tally

LUCK = 0.005
"""In so many of all windows without any drift there is an alarm, at most."""
ROWS_NEEDED = 200
"""Of recent rows, and of training rows."""
KOLMOGOROV_SMIRNOV, CHI_SQUARED = "Kolmogorov-Smirnov", "chi-squared"
UNSEEN_SHOWN = 20
RANKS = {DriftVerdict.MATTERS: 0, DriftVerdict.DRIFTED: 1, DriftVerdict.SAME: 2, DriftVerdict.TOO_FEW: 3}


@dataclass(frozen=True, slots=True)
class Judged:
    """The columns, what matters first, and the score."""

    columns: tuple[ColumnDrift, ...]
    score: ColumnDrift | None


def judge(reference: Reference, tallies: Mapping[str, Tally], limits: Mapping[str, float]) -> Judged:
    """The verdicts on what there was of each column; the score's is under the empty name.

    A column without a tally was not kept and is left out. `limits` has those that somebody has set.
    """
    known = [*reference.columns, *([reference.score] if reference.score else [])]
    kept = [column for column in known if column.name in tallies]
    found = [_measured(column, tallies[column.name], _limit(column, limits)) for column in kept]
    tested = [at for at, column in enumerate(found) if column.p_value is not None]
    corrected = holm([found[at].p_value or 0.0 for at in tested])
    for at, p_value in zip(tested, corrected, strict=True):
        found[at] = _decided(replace(found[at], p_value=p_value), reference.importance)
    ordered = sorted((c for c in found if c.column), key=lambda c: (RANKS[c.verdict], -(c.psi or 0.0)))
    return Judged(tuple(ordered), next((c for c in found if not c.column), None))


def _limit(column: ColumnReference, limits: Mapping[str, float]) -> float:
    return limits.get(column.name, PSI_LIMIT if column.name else SCORE_LIMIT)


def _measured(column: ColumnReference, recent: Tally, limit: float) -> ColumnDrift:
    """The figures, before the correction; SAME, or TOO_FEW."""
    training = np.array(column.counts, dtype=np.int64)
    labels, before, after = bands(column, recent.counts)
    bins = Bins(labels, _shares(before), _shares(after))
    unseen = dict(sorted(recent.unseen.items(), key=lambda item: (-item[1], item[0]))[:UNSEEN_SHOWN])
    told = ColumnDrift(
        column.name, DriftVerdict.TOO_FEW, recent.rows, None, limit=limit, bins=bins, unseen=unseen or None
    )
    if min(recent.rows, column.rows) < ROWS_NEEDED:
        return told
    if column.numeric:
        test, (statistic, p_value) = KOLMOGOROV_SMIRNOV, kolmogorov_smirnov(training, recent.counts, column.slack)
        effect = _shift(column, recent)
    else:
        test, (statistic, p_value) = CHI_SQUARED, chi_squared(before, after)
        effect = total_variation(before, after)
    return replace(
        told,
        verdict=DriftVerdict.SAME,
        psi=psi(before, after),
        test=test,
        statistic=statistic,
        p_value=p_value,
        effect=effect,
    )


def _decided(column: ColumnDrift, importance: Mapping[str, float]) -> ColumnDrift:
    share = importance.get(column.column) if column.column else None
    index, p_value = column.psi or 0.0, 1.0 if column.p_value is None else column.p_value
    verdict = column.verdict
    if p_value < LUCK and index > column.limit:
        leans = not column.column or (share is not None and share >= 1 / max(1, len(importance)))
        verdict = DriftVerdict.MATTERS if index >= LARGE_PSI and leans else DriftVerdict.DRIFTED
    return replace(column, verdict=verdict, importance=share)


def _shift(column: ColumnReference, recent: Tally) -> float | None:
    """How far the mean has moved, in standard deviations of training; None where there is none."""
    known = recent.rows - int(recent.counts[-1])
    if column.mean is None or not column.deviation or not known or not np.isfinite(recent.total):
        return None
    return (recent.total / known - column.mean) / column.deviation


def _shares(counts: Counts) -> tuple[float, ...]:
    return tuple((counts / max(1, int(counts.sum()))).tolist())
