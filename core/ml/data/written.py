"""What the text of a column is besides text: dates, and measures that could not be read as numbers."""

# ruff: noqa: S608  # the SQL is made of our own names c0, c1, ... and of patterns quoted here

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import duckdb

from core.predict.dates import DAY_FIRST, DAY_THEN_WORD, MONTH_FIRST, PATTERNS, WORD_THEN_DAY, YEAR_FIRST

SHARE = 0.99
"""Of the known cells; so many must be dates."""
MEASURES_SHARE = 0.5
"""A column with so many fractions in it is measured, however it is written."""
FRACTION = r"[^0-9]?[0-9]+[.,][0-9]+[^0-9]{0,2}"
COLUMNS_AT_ONCE = 50

C = TypeVar("C", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Written:
    """How text is written: the order of its dates (as in `ColumnProfile.dates`), or that it has measures."""

    dates: str = ""
    measures: bool = False


def written(connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[C, str]) -> dict[C, Written]:
    """How each column (with the SQL of its cells) of `table` is written."""
    found: dict[C, Written] = {}
    waiting = iter(columns.items())
    while some := dict(islice(waiting, COLUMNS_AT_ONCE)):
        expressions = [e for sql in some.values() for e in _counts(sql)]
        values = iter(connection.execute(f"SELECT {', '.join(expressions)} FROM {table}").fetchall()[0])
        for column in some:
            found[column] = _judged(list(islice(values, len(_counts("")))))
    return found


def _counts(cell: str) -> tuple[str, ...]:
    orders = (YEAR_FIRST, DAY_FIRST, DAY_THEN_WORD, WORD_THEN_DAY)
    year, day, word, word_first = (f"regexp_full_match({cell}, '{PATTERNS[order]}')" for order in orders)
    any_date = f"({year} OR {day} OR {word} OR {word_first})"
    first, second = (f"try_cast(regexp_extract({cell}, '{PATTERNS[DAY_FIRST]}', {at}) AS INT)" for at in (1, 2))
    return (
        f"count({cell})",
        f"count(*) FILTER ({year})",
        f"count(*) FILTER ({day})",
        f"max({first}) FILTER ({day})",
        f"max({second}) FILTER ({day})",
        f"count(*) FILTER ({word})",
        f"count(*) FILTER ({word_first})",
        f"count(*) FILTER ({any_date} AND contains({cell}, ':'))",
        f"count(*) FILTER ({day} AND contains({cell}, '/'))",
        f"count(*) FILTER (regexp_full_match({cell}, '{FRACTION}'))",
    )


def _judged(counts: Iterable[Any]) -> Written:
    known, year, day, first, second, word, word_first, times, slashes, fractions = (count or 0 for count in counts)
    time = "+time" if times else ""
    for order, count in ((YEAR_FIRST, year), (DAY_THEN_WORD, word), (WORD_THEN_DAY, word_first)):
        if known and count >= SHARE * known:
            return Written(order + time)
    if known and day >= SHARE * known and min(first, second) <= 12:
        # 13 and more are no months; where no day is beyond 12, slashes are America's.
        months_first = second > 12 or (first <= 12 and slashes > 0)
        return Written((MONTH_FIRST if months_first else DAY_FIRST) + time)
    return Written(measures=known > 0 and fractions >= MEASURES_SHARE * known)
