"""What the text of a column is besides text: dates, and measures that could not be read as numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.predict.dates import DAY_FIRST, DAY_THEN_WORD, MONTH_FIRST, PATTERNS, WORD_THEN_DAY, YEAR_FIRST

SHARE = 0.99
"""Of the known cells; so many must be dates."""
MEASURES_SHARE = 0.5
"""A column with so many fractions in it is measured, however it is written."""
FRACTION = r"[^0-9]?[0-9]+[.,][0-9]+[^0-9]{0,2}"


@dataclass(frozen=True, slots=True)
class Written:
    """How text is written: the order of its dates (as in `ColumnProfile.dates`), or that it has measures."""

    dates: str = ""
    measures: bool = False


def counts_of_forms(value: str, rows: str) -> tuple[str, ...]:
    """The SQL of what `judged` goes by, for texts that each stand in so many rows."""
    orders = (YEAR_FIRST, DAY_FIRST, DAY_THEN_WORD, WORD_THEN_DAY)
    year, day, word, word_first = (f"regexp_full_match({value}, '{PATTERNS[order]}')" for order in orders)
    any_date = f"({year} OR {day} OR {word} OR {word_first})"
    first, second = (f"try_cast(regexp_extract({value}, '{PATTERNS[DAY_FIRST]}', {at}) AS INT)" for at in (1, 2))
    return (
        f"sum({rows})",
        f"sum({rows}) FILTER ({year})",
        f"sum({rows}) FILTER ({day})",
        f"max({first}) FILTER ({day})",
        f"max({second}) FILTER ({day})",
        f"sum({rows}) FILTER ({word})",
        f"sum({rows}) FILTER ({word_first})",
        f"sum({rows}) FILTER ({any_date} AND contains({value}, ':'))",
        f"sum({rows}) FILTER ({day} AND contains({value}, '/'))",
        f"sum({rows}) FILTER (regexp_full_match({value}, '{FRACTION}'))",
    )


def judged(counts: Iterable[Any]) -> Written:
    """How a column is written, by what the queries of `counts_of_forms` gave."""
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
