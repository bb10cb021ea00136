"""What is known of a table, column by column: computed by DuckDB over Parquet, in bounded memory, never as a frame."""

# ruff: noqa: S608  # the SQL is made of our own names c0, c1, ... and of literals quoted here

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from core.domain.data import Bin, ColumnKind, ColumnProfile, ColumnRole, Level, TableProfile
from core.domain.errors import SpecInvalid
from core.ml.data.scan import BATCH_MAX, Column, Scan, open_scan
from core.ml.data.written import Written, written

LEVELS_MAX = 100
BINS_MAX = 20
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

ID_ROWS_MIN = 20
"""In fewer rows all values may differ by chance."""
ID_TEXT_SHARE = 0.95
"""Text of which this share is distinct names rows; no learner can use it as categories."""
KEY_ROWS = 500
"""Measured quantities heap on round values: in this many rows one comes twice, a key never does."""
KEY_COLLISIONS = 10
"""A column without repeats where random draws from its range would give this many is a key (p < e**-10)."""

POSITIVE_WORDS = frozenset({"yes", "y", "true", "t", "1", "1.0", "positive"})

_ID_KINDS = (ColumnKind.INTEGER, ColumnKind.STRING)


def profile_table(parquet: Path, target: str = "") -> TableProfile:
    """The profile of every column of `parquet`, in table order; 0 rows and any column name are fine.

    Kinds: dates, times and nested values are strings, decimals and integers wider than 64 bits are numbers. Not-finite
    floats count as missing. Levels are given for text and for whatever has at most 100 distinct values, with the
    share of `positive_level` where `target` has two levels; an id's text is not listed. `std` is the sample's.
    Raises SpecInvalid when there is no column `target`.
    """
    with open_scan(parquet) as scan:
        names = [c.name for c in scan.columns]
        if target and target not in names:
            raise SpecInvalid(f"There is no column '{target}'", hint=f"The columns are: {', '.join(names)}")
        return TableProfile(scan.rows, tuple(_describe(scan, _summarise(scan), target)))


def to_json(profile: TableProfile) -> dict[str, Any]:
    """The profile as JSON values; `from_json` gives the equal profile back, also after a trip through text."""
    return {"rows": profile.rows, "columns": [msgspec.to_builtins(c) for c in profile.columns]}


def from_json(document: dict[str, Any]) -> TableProfile:
    """The profile that `to_json` wrote. Raises msgspec.ValidationError for anything else."""
    return msgspec.convert(document, TableProfile)


def positive_level(levels: Sequence[Level]) -> str:
    """Which of a binary target's two levels is the positive: the only one that says yes, true or 1, else the rarer.

    Of two equally frequent ones it is the later in the alphabet. Raises SpecInvalid for other than two levels.
    """
    if len(levels) != 2:
        raise SpecInvalid(f"A binary target has two levels, not {len(levels)}")
    words = [level.value for level in levels if level.value.strip().lower() in POSITIVE_WORDS]
    if len(words) == 1:
        return words[0]
    a, b = sorted(levels, key=lambda level: level.value)
    return a.value if a.count < b.count else b.value


def _summarise(scan: Scan) -> dict[Column, ColumnProfile]:
    """Counts, ranges, quantiles and medians."""
    distinct = "count(DISTINCT {0})" if scan.exact else "approx_count_distinct({0})"
    points = f"{'quantile_disc' if scan.exact else 'approx_quantile'}({{0}}, {list(QUANTILES)})"
    always, numeric = ("count({0})", distinct), ("min({0})", "max({0})", points)
    asked = {c: [e.format(c.sql) for e in always + numeric * c.numeric] for c in scan.columns}
    profiles = {}
    for column, (count, different, *numbers) in scan.each(asked):
        profile = ColumnProfile(
            column.name, column.kind, ColumnRole.FEATURE, scan.rows, scan.rows - count, min(different, count)
        )
        profile = _with_numbers(profile, *numbers) if numbers and count else profile
        profiles[column] = profile
    texts = written(scan.connection, scan.table, {c: c.sql for c, p in profiles.items() if _has_text(c, p)})
    for column, profile in profiles.items():
        how = texts.get(column, Written())
        profiles[column] = replace(profile, role=_role(scan, column, profile, how), dates=how.dates)
    return profiles


def _has_text(column: Column, profile: ColumnProfile) -> bool:
    return column.kind is ColumnKind.STRING and profile.missing < profile.rows


def _with_numbers(profile: ColumnProfile, low: Any, high: Any, quantiles: list[Any]) -> ColumnProfile:
    integer = profile.kind is ColumnKind.INTEGER
    points = [min(max(low, q), high) for q in quantiles]
    median = points[QUANTILES.index(0.5)]
    return replace(
        profile,
        low=float(low),
        high=float(high),
        quantiles=tuple(float(q) for q in points),
        typical=int(median) if integer else float(median),
    )


def _role(scan: Scan, column: Column, profile: ColumnProfile, how: Written) -> ColumnRole:
    """Ids are known by their values, never by their name; dates and measures that were left as text are none."""
    present = profile.rows - profile.missing
    if not present:
        return ColumnRole.EMPTY
    if profile.distinct == 1 and not profile.missing:
        return ColumnRole.CONSTANT
    # A sketch is off by a few percent: what may be an id is counted exactly.
    distinct = profile.distinct
    if not scan.exact and column.kind in _ID_KINDS and distinct > 0.7 * present:
        distinct = scan.one([f"count(DISTINCT {column.sql})"])[0]
    if how.dates or how.measures:
        return ColumnRole.FEATURE
    if column.kind is ColumnKind.STRING and present >= ID_ROWS_MIN and distinct >= ID_TEXT_SHARE * present:
        return ColumnRole.ID
    if column.kind is ColumnKind.INTEGER and profile.rows >= ID_ROWS_MIN and distinct == profile.rows:
        return ColumnRole.ID if _is_key(scan, column, profile) else ColumnRole.FEATURE
    return ColumnRole.FEATURE


def _is_key(scan: Scan, column: Column, profile: ColumnProfile) -> bool:
    """Integers that differ in every row differ not by chance: they are many, dense in their range, or ascending."""
    low, high = profile.low or 0.0, profile.high or 0.0
    if profile.rows >= KEY_ROWS or profile.rows**2 / 2 / (high - low + 1) >= KEY_COLLISIONS:
        return True
    values = scan.one([f"list({column.sql})"])[0]  # in the rows' own order, and fewer than KEY_ROWS
    return all(a < b for a, b in pairwise(values))


def _describe(scan: Scan, profiles: dict[Column, ColumnProfile], target: str) -> Iterator[ColumnProfile]:
    """The finished profiles: moments, histograms and levels need the ranges and distinct counts of the first pass."""
    positive = "NULL"
    goal = next((c for c in scan.columns if c.name == target), None)
    if goal and len(levels := _levels(scan, [goal])[goal]) == 2:
        word = positive_level(levels).replace("'", "''")
        positive = f"({goal.sql}::VARCHAR = '{word}')"
    found = {}
    for batch in _level_batches(profiles):
        found.update(_levels(scan, batch, positive))
    moments = dict(scan.each({c: _moments(c, p) for c, p in profiles.items()}))
    for column, profile in profiles.items():
        full = _with_moments(profile, *moments[column]) if column in moments else profile
        yield _with_levels(full, found[column]) if column in found else full


def _level_batches(profiles: dict[Column, ColumnProfile]) -> Iterator[list[Column]]:
    """Columns with few levels are counted 100 at a time, those with many alone."""
    few = [c for c, p in profiles.items() if _has_levels(p) and p.distinct <= LEVELS_MAX]
    yield from (few[i : i + BATCH_MAX] for i in range(0, len(few), BATCH_MAX))
    yield from ([c] for c, p in profiles.items() if _has_levels(p) and p.distinct > LEVELS_MAX)


def _has_levels(profile: ColumnProfile) -> bool:
    if profile.kind in (ColumnKind.STRING, ColumnKind.BOOLEAN):
        return not (profile.role is ColumnRole.ID or profile.role is ColumnRole.EMPTY)
    return 0 < profile.distinct <= LEVELS_MAX


def _levels(scan: Scan, columns: Sequence[Column], positive: str = "NULL") -> dict[Column, tuple[Level, ...]]:
    """The most frequent values of each column, ties in the alphabet's order; one pass for all of them."""
    numbers, texts = list(range(len(columns))), ", ".join(f"{c.sql}::VARCHAR" for c in columns)
    rows = scan.connection.execute(
        f"SELECT k, v, count(*) AS n, avg(p::INT) "
        f"FROM (SELECT {positive} AS p, unnest({numbers}) AS k, unnest([{texts}]) AS v FROM {scan.table}) "
        f"WHERE v IS NOT NULL GROUP BY k, v "
        f"QUALIFY row_number() OVER (PARTITION BY k ORDER BY n DESC, v) <= {LEVELS_MAX} ORDER BY k, n DESC, v"
    ).fetchall()
    found: dict[Column, tuple[Level, ...]] = dict.fromkeys(columns, ())
    for k, group in groupby(rows, key=itemgetter(0)):
        found[columns[k]] = tuple(Level(value, count, rate) for _, value, count, rate in group)
    return found


def _with_levels(profile: ColumnProfile, levels: tuple[Level, ...]) -> ColumnProfile:
    typical = profile.typical
    if levels and profile.kind is ColumnKind.STRING:
        typical = levels[0].value
    elif levels and profile.kind is ColumnKind.BOOLEAN:
        typical = levels[0].value == "true"
    # Fewer levels than the limit is the exact count where a sketch gave `distinct`.
    distinct = len(levels) if 0 < len(levels) < LEVELS_MAX else profile.distinct
    return replace(profile, levels=levels, typical=typical, distinct=distinct)


def _moments(column: Column, profile: ColumnProfile) -> list[str]:
    """Mean, deviation and histogram. Scaled by a power of two: exact, and the squares of 1e300 do not overflow."""
    if profile.low is None or profile.high is None:
        return []
    scale = 2.0 ** max(math.frexp(max(abs(profile.low), abs(profile.high)))[1] - 1, -1000)
    x = f"({column.sql}::DOUBLE)"
    # DuckDB's bins are (low, high]; negated they are ours, [low, high).
    bounds = [str(-edge) for edge in reversed(_edges(profile)[:-1])]  # as text: a literal would become a decimal
    return [
        f"avg({x} / {scale!r}) * {scale!r}",
        f"stddev_samp({x} / {scale!r}) * {scale!r}",
        f"histogram(-{x}, {bounds}::DOUBLE[])",
    ]


def _edges(profile: ColumnProfile) -> list[float]:
    """The bins' borders, ascending; for integers whole numbers of equal distance, so that no bin is favoured."""
    low, high = profile.low or 0.0, profile.high or 0.0
    if profile.kind is ColumnKind.INTEGER and high - low < 2**53 and max(abs(low), abs(high)) < 2**53:
        width = math.ceil((high - low + 1) / BINS_MAX)
        return [low + i * width for i in range(math.ceil((high - low + 1) / width) + 1)]
    edges = [low + (high / BINS_MAX - low / BINS_MAX) * i for i in range(BINS_MAX)]
    return [*sorted({edge for edge in edges if low <= edge < high or edge == low}), high]


def _with_moments(profile: ColumnProfile, mean: float, std: float | None, counts: dict[float, int]) -> ColumnProfile:
    edges = _edges(profile)
    found = {-bound: count for bound, count in counts.items()}
    bins = tuple(Bin(low, high, found.get(low, 0)) for low, high in pairwise(edges))
    return replace(profile, mean=mean, std=std, histogram=bins)
