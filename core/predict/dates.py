"""Dates as numbers: the parts of a day and time that a model learns from, the same in training and when serving."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from core.predict.members import Array

YEAR_FIRST, DAY_FIRST, MONTH_FIRST = "ymd", "dmy", "mdy"
"""Orders in which dates are written."""

TIME = r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?)?\s*(?:Z|UTC|[+-]\d{2}(?::?\d{2})?)?"
PATTERNS: Mapping[str, str] = {
    YEAR_FIRST: rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){TIME}",
    DAY_FIRST: rf"(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}){TIME}",
    MONTH_FIRST: rf"(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}){TIME}",
}
"""Of a whole cell. A zone is read over: what counts is the clock as it is written."""
_COMPILED = {order: re.compile(pattern) for order, pattern in PATTERNS.items()}
_EPOCH = date(1970, 1, 1).toordinal()
DAY_S = 86_400.0

PARTS: Mapping[str, Callable[[date, float], float]] = {
    "days": lambda day, second: day.toordinal() - _EPOCH + second / DAY_S,
    "month": lambda day, _: float(day.month),
    "day": lambda day, _: float(day.day),
    "weekday": lambda day, _: float(day.weekday()),
    "hour": lambda _, second: second // 3600,
}
"""What a date becomes: days since 1970 (with the time as a fraction), month, day of the month, weekday from Monday."""


def moment(text: Any, order: str) -> tuple[date, float] | None:
    """The day and the second of it; None for what is no date."""
    found = _COMPILED[order].fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        return None
    a, b, c, hour, minute, second = (int(group or 0) for group in found.groups())
    year, month, day = {YEAR_FIRST: (a, b, c), DAY_FIRST: (c, b, a), MONTH_FIRST: (c, a, b)}[order]
    if hour > 23 or minute > 59 or second > 60:
        return None
    try:
        return date(year, month, day), hour * 3600.0 + minute * 60.0 + second
    except ValueError:
        return None


def part_of(text: Any, order: str, part: str) -> float:
    """One part of a date; NaN for what is missing or no date."""
    found = moment(text, order)
    return np.nan if found is None else PARTS[part](*found)


def parts_of(texts: Sequence[Any], order: str, parts: Sequence[str]) -> Array:
    """Rows x parts; each text is read once."""
    known: dict[Any, list[float]] = {}
    for text in texts:
        if text not in known:
            found = moment(text, order)
            known[text] = [np.nan if found is None else PARTS[part](*found) for part in parts]
    return np.array([known[text] for text in texts], dtype=np.float64).reshape(len(texts), len(parts))
