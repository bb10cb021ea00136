"""What is known of columns of numbers, exactly: all of it follows from a column's sorted cells."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa

from core.domain.data import Bin, ColumnKind, ColumnProfile, ColumnRole, Level
from core.domain.signature import Scalar
from core.ml.data.bins import edges, scale_of
from core.ml.data.roles import ID_ROWS_MIN, LEVELS_MAX, blank, is_key
from core.ml.data.scan import Column, Scan
from core.predict.members import Array

PERCENTS = (5, 25, 50, 75, 95)
MEDIAN_AT = PERCENTS.index(50)


def numbers(scan: Scan, columns: Sequence[Column], positive: Array | None) -> Iterator[tuple[Column, ColumnProfile]]:
    """The profile of each column; `positive` says of each row whether the target is: 1, 0 or NaN."""
    for batch in scan.batches(columns):
        for column, cells in scan.cells(batch).items():
            yield column, _profile(column, cells, positive)


def _profile(column: Column, cells: "pa.ChunkedArray", positive: Array | None) -> ColumnProfile:
    known = cells.drop_null().to_numpy() + 0  # which makes -0.0 the same zero
    profile = blank(column, len(cells))
    if not len(known):
        return profile
    ordered = np.sort(known)
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    profile = replace(profile, missing=len(cells) - len(known), distinct=len(starts))
    profile = _with_moments(_with_points(profile, ordered), ordered.astype(np.float64))
    profile = replace(profile, role=_role(profile, known))
    if len(starts) > LEVELS_MAX:
        return profile
    counts = np.diff(starts, append=len(ordered))
    rates = [None] * len(starts) if positive is None else _rates(cells, known, ordered[starts], positive)
    return replace(profile, levels=_levels(ordered[starts].tolist(), counts.tolist(), rates))


def _with_points(profile: ColumnProfile, ordered: Array) -> ColumnProfile:
    """The range and the quantiles, which are values of the column."""
    points = [ordered[max(1, -(-len(ordered) * percent // 100)) - 1] for percent in PERCENTS]
    return replace(
        profile,
        low=float(ordered[0]),
        high=float(ordered[-1]),
        quantiles=tuple(map(float, points)),
        typical=points[MEDIAN_AT].item(),
    )


def _with_moments(profile: ColumnProfile, ordered: Array) -> ColumnProfile:
    """Mean, deviation and histogram; the mean of equal numbers is this number, whatever rounding makes of their sum."""
    low, high = ordered[0], ordered[-1]
    scale, borders = scale_of(low, high), edges(profile.kind, float(low), float(high))
    scaled = ordered / scale
    mean = min(max(float(scaled.mean()), scaled[0]), scaled[-1])
    std = float(np.sqrt(np.sum((scaled - mean) ** 2) / (len(scaled) - 1))) * scale if len(scaled) > 1 else None
    counts = np.diff(np.searchsorted(ordered, borders[:-1]), append=len(ordered))
    bins = (Bin(a, b, int(count)) for (a, b), count in zip(pairwise(borders), counts, strict=True))
    return replace(profile, mean=float(mean * scale), std=std, histogram=tuple(bins))


def _role(profile: ColumnProfile, known: Array) -> ColumnRole:
    if profile.distinct == 1 and not profile.missing:
        return ColumnRole.CONSTANT
    if profile.kind is not ColumnKind.INTEGER or not ID_ROWS_MIN <= profile.rows == profile.distinct:
        return ColumnRole.FEATURE
    ascending = bool(np.all(known[1:] > known[:-1]))
    low, high = profile.low or 0.0, profile.high or 0.0
    return ColumnRole.ID if is_key(profile.rows, low, high, ascending=ascending) else ColumnRole.FEATURE


def _rates(cells: "pa.ChunkedArray", known: Array, values: Array, positive: Array) -> list[float | None]:
    """The positives' share among the rows of each value in which the target is known."""
    targets = positive[cells.is_valid().to_numpy()]
    judged = ~np.isnan(targets)
    places = np.searchsorted(values, known[judged])
    hits = np.bincount(places, targets[judged], len(values))
    rows = np.bincount(places, minlength=len(values))
    return [float(hit / n) if n else None for hit, n in zip(hits, rows, strict=True)]


def _levels(values: Sequence[Scalar], counts: Sequence[int], rates: Sequence[float | None]) -> tuple[Level, ...]:
    """By frequency, ties in the alphabet's order. Python writes numbers as DuckDB does."""
    found = (Level(str(value), count, rate) for value, count, rate in zip(values, counts, rates, strict=True))
    return tuple(sorted(found, key=lambda level: (-level.count, level.value)))
