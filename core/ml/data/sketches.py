"""What is known of columns of numbers too long to be sorted: DuckDB's sketches, in two passes and bounded memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from core.domain.data import Bin, ColumnKind, ColumnProfile, ColumnRole
from core.ml.data.bins import edges, scale_of
from core.ml.data.categories import SKETCHED_ID_SHARE, levels
from core.ml.data.numbers import MEDIAN_AT, PERCENTS
from core.ml.data.roles import LEVELS_MAX, blank, is_key
from core.ml.data.scan import Column, Scan

POINTS = [percent / 100 for percent in PERCENTS]


def sketches(scan: Scan, columns: Sequence[Column], positive: str) -> Iterator[tuple[Column, ColumnProfile]]:
    """The profile of each column; `positive` is the SQL that says of a row whether the target is."""
    first = ("count({0})", "approx_count_distinct({0})", "min({0})", "max({0})", f"approx_quantile({{0}}, {POINTS})")
    profiles = {
        column: _with_points(blank(column, scan.rows), *found)
        for column, found in scan.each({c: [e.format(c.sql) for e in first] for c in columns})
    }
    known = {column: profile for column, profile in profiles.items() if profile.distinct}
    for column, (mean, std, counts) in scan.each({c: _moments(c, p) for c, p in known.items()}):
        profile = replace(known[column], mean=mean, std=std, histogram=_bars(known[column], counts))
        profiles[column] = replace(profile, role=_role(scan, column, profile))
    few = [column for column, profile in known.items() if profile.distinct <= LEVELS_MAX]
    for batch in scan.batches(few):
        for column, found_levels in levels(scan, batch, positive).items():
            exact = len(found_levels) if len(found_levels) < LEVELS_MAX else profiles[column].distinct
            profiles[column] = replace(profiles[column], levels=found_levels, distinct=exact)
    yield from profiles.items()


def _with_points(profile: ColumnProfile, count: int, distinct: int, low: Any, high: Any, points: Any) -> ColumnProfile:
    if not count:
        return profile
    points = [min(max(low, point), high) for point in points]
    median = points[MEDIAN_AT]
    return replace(
        profile,
        missing=profile.rows - count,
        distinct=min(distinct, count),
        low=float(low),
        high=float(high),
        quantiles=tuple(map(float, points)),
        typical=int(median) if profile.kind is ColumnKind.INTEGER else float(median),
    )


def _moments(column: Column, profile: ColumnProfile) -> list[str]:
    low, high = profile.low or 0.0, profile.high or 0.0
    scale, x = scale_of(low, high), f"({column.sql}::DOUBLE)"
    # DuckDB's bins are (low, high]; negated they are ours, [low, high).
    bounds = [str(-edge) for edge in reversed(edges(profile.kind, low, high)[:-1])]  # a literal would become a decimal
    return [
        f"avg({x} / {scale!r}) * {scale!r}",
        f"stddev_samp({x} / {scale!r}) * {scale!r}",
        f"histogram(-{x}, {bounds}::DOUBLE[])",
    ]


def _bars(profile: ColumnProfile, counts: dict[float, int]) -> tuple[Bin, ...]:
    found = {-bound: count for bound, count in counts.items()}
    borders = edges(profile.kind, profile.low or 0.0, profile.high or 0.0)
    return tuple(Bin(low, high, found.get(low, 0)) for low, high in pairwise(borders))


def _role(scan: Scan, column: Column, profile: ColumnProfile) -> ColumnRole:
    """Ids are known by their values; a sketch is off by a few percent, so what may be an id is counted exactly."""
    if profile.distinct == 1 and not profile.missing:
        return ColumnRole.CONSTANT
    may_be = profile.kind is ColumnKind.INTEGER and profile.distinct > SKETCHED_ID_SHARE * profile.rows
    if not may_be or scan.one([f"count(DISTINCT {column.sql})"])[0] < profile.rows:
        return ColumnRole.FEATURE
    key = is_key(profile.rows, profile.low or 0.0, profile.high or 0.0, ascending=False)
    return ColumnRole.ID if key else ColumnRole.FEATURE
