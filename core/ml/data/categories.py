"""What is known of the columns of text, and of those of yes and no: counted by DuckDB, all that fit at once."""

# ruff: noqa: S608  # the SQL is made of our own names c0, c1, ... and of literals quoted here

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter

from core.domain.data import ColumnKind, ColumnProfile, ColumnRole, Level
from core.ml.data.roles import ID_ROWS_MIN, LEVELS_MAX, blank
from core.ml.data.scan import MELTED_MAX, Column, Scan
from core.ml.data.written import Written, counts_of_forms, judged

ID_TEXT_SHARE = 0.95
"""Text of which this share is distinct names rows; no learner can use it as categories."""
SKETCHED_ID_SHARE = 0.7
"""A sketch is off by a few percent: what may be an id is counted exactly."""
GROUPS_AT_ONCE = 500_000
"""Different values of all the columns whose levels are counted in one query."""


def categories(scan: Scan, columns: Sequence[Column], positive: str) -> Iterator[tuple[Column, ColumnProfile]]:
    """The profile of each column; `positive` is the SQL that says of a row whether the target is."""
    found = {c: profile for batch in scan.batches(columns, MELTED_MAX) for c, profile in _counted(scan, batch)}
    for some in _together(found):
        for column, values in levels(scan, some, positive).items():
            found[column] = _with_levels(found[column], values)
    yield from found.items()


def levels(scan: Scan, columns: Sequence[Column], positive: str = "NULL") -> Mapping[Column, tuple[Level, ...]]:
    """The most frequent values of each column, ties in the alphabet's order; one pass for all of them."""
    rows = scan.connection.execute(
        f"SELECT k, v, count(*) AS n, avg(p::INT) FROM {scan.melted(columns, positive)} "
        f"WHERE v IS NOT NULL GROUP BY k, v "
        f"QUALIFY row_number() OVER (PARTITION BY k ORDER BY n DESC, v) <= {LEVELS_MAX} ORDER BY k, n DESC, v"
    ).fetchall()
    found: dict[Column, tuple[Level, ...]] = dict.fromkeys(columns, ())
    for k, group in groupby(rows, key=itemgetter(0)):
        found[columns[k]] = tuple(Level(value, count, rate) for _, value, count, rate in group)
    return found


def _counted(scan: Scan, columns: Sequence[Column]) -> Iterator[tuple[Column, ColumnProfile]]:
    """Everything but the levels. What a text looks like is asked once for each different one."""
    cells = f"{scan.melted(columns)} WHERE v IS NOT NULL"
    texts = (
        f"SELECT k, v, count(*) AS n FROM {cells} GROUP BY k, v" if scan.exact else f"SELECT k, v, 1 AS n FROM {cells}"
    )
    distinct = "count(*)" if scan.exact else "approx_count_distinct(v)"
    asked = ", ".join(("k", distinct, *counts_of_forms("v", "n")))
    rows = scan.connection.execute(f"SELECT {asked} FROM ({texts}) GROUP BY k").fetchall()
    told = {columns[k]: counts for k, *counts in rows}
    for column in columns:
        profile = blank(column, scan.rows)
        if column in told:
            different, known, *forms = told[column]
            profile = replace(profile, missing=scan.rows - int(known), distinct=min(different, int(known)))
            how = judged((known, *forms)) if column.kind is ColumnKind.STRING else Written()
            profile = replace(profile, role=_role(scan, column, profile, how), dates=how.dates)
        yield column, profile


def _role(scan: Scan, column: Column, profile: ColumnProfile, how: Written) -> ColumnRole:
    """Ids are known by their values, never by their name; dates and measures that were left as text are none."""
    known, distinct = profile.rows - profile.missing, profile.distinct
    if distinct == 1 and not profile.missing:
        return ColumnRole.CONSTANT
    if column.kind is not ColumnKind.STRING or how.dates or how.measures or known < ID_ROWS_MIN:
        return ColumnRole.FEATURE
    if not scan.exact and distinct > SKETCHED_ID_SHARE * known:
        distinct = scan.one([f"count(DISTINCT {column.sql})"])[0]
    return ColumnRole.ID if distinct >= ID_TEXT_SHARE * known else ColumnRole.FEATURE


def _together(profiles: Mapping[Column, ColumnProfile]) -> Iterator[list[Column]]:
    """The columns that have levels to tell, as many at a time as can be counted in memory."""
    some, groups = list[Column](), 0
    for column, profile in profiles.items():
        if profile.role in (ColumnRole.ID, ColumnRole.EMPTY):
            continue
        if some and (len(some) == MELTED_MAX or groups + profile.distinct > GROUPS_AT_ONCE):
            yield some
            some, groups = [], 0
        some.append(column)
        groups += profile.distinct
    if some:
        yield some


def _with_levels(profile: ColumnProfile, found: tuple[Level, ...]) -> ColumnProfile:
    typical = found[0].value if profile.kind is ColumnKind.STRING else found[0].value == "true"
    # Fewer levels than the limit is the exact count where a sketch gave `distinct`.
    distinct = len(found) if len(found) < LEVELS_MAX else profile.distinct
    return replace(profile, levels=found, typical=typical, distinct=distinct)
