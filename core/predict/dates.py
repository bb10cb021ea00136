"""Dates as numbers: the parts of a day and time that a model learns from, the same in training and when serving."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from core.predict.arrays import Array

YEAR_FIRST, DAY_FIRST, MONTH_FIRST = "ymd", "dmy", "mdy"
DAY_THEN_WORD, WORD_THEN_DAY = "dby", "bdy"
"""Orders in which dates are written; b is a month by its name."""

MONTHS: Mapping[str, int] = {
    word: number
    for number, words in enumerate(
        (
            "jan january januar jän jänner janv janvier ene enero gen gennaio januari janeiro",
            "feb february februar febr fév févr février febrero febbraio februari fev fevereiro",
            "mar march mär märz mrz mars marzo maart março",
            "apr april avr avril abr abril aprile",
            "may mai mayo mag maggio mei maio",
            "jun june juni juin junio giu giugno junho",
            "jul july juli juil juillet julio lug luglio julho",
            "aug august août ago agosto augustus",
            "sep sept september septembre septiembre set settembre setembro",
            "oct october okt oktober octobre octubre ott ottobre out outubro",
            "nov november novembre noviembre novembro",
            "dec december dez dezember déc décembre dic diciembre dicembre dezembro",
        ),
        1,
    )
    for word in words.split()
}
"""The names of months, long and short, in English, German, French, Spanish, Italian, Dutch and Portuguese."""
CENTURY = 69
"""Years of two digits from here on are of the 1900s, as everywhere since POSIX."""

_BLANK = "[ \u00a0\u202f]"
_HALF = rf"(?:{_BLANK}*([AaPp])\.?[Mm]\.?)?"
_ZONE = r"\s*(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
TIME = rf"(?:(?:T|,?{_BLANK}+|:)(\d{{1,2}}):(\d{{2}})(?::(\d{{2}})(?:[.,]\d+)?)?{_HALF})?{_ZONE}"
_YEAR = r"([-/.]\d{4}|[/.]\d{2})"
_WORD = rf"(?i:({'|'.join(sorted(MONTHS, key=len, reverse=True))}))"
_WEEKDAY = r"(?:[A-Za-z]{2,9}\.?,? )?"
_DAY = r"(\d{1,2})(?:\.|st|nd|rd|th)?"
PATTERNS: Mapping[str, str] = {
    YEAR_FIRST: rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){TIME}",
    DAY_FIRST: rf"(\d{{1,2}})[-/.](\d{{1,2}}){_YEAR}{TIME}",
    MONTH_FIRST: rf"(\d{{1,2}})[-/.](\d{{1,2}}){_YEAR}{TIME}",
    DAY_THEN_WORD: rf"{_WEEKDAY}{_DAY}[-/ ]?(?:de )?{_WORD}\.?[-/, ]*(?:de )?(\d{{4}}|\d{{2}}){TIME}",
    WORD_THEN_DAY: rf"{_WEEKDAY}{_WORD}\.?[- ]?{_DAY}[-, ]+(\d{{4}}){TIME}",
}
"""Of a whole cell. A zone is read over: what counts is the clock as it is written."""
_COMPILED = {order: re.compile(pattern) for order, pattern in PATTERNS.items()}
_PLACES = {
    YEAR_FIRST: (0, 1, 2),
    DAY_FIRST: (2, 1, 0),
    MONTH_FIRST: (2, 0, 1),
    DAY_THEN_WORD: (2, 1, 0),
    WORD_THEN_DAY: (2, 0, 1),
}
"""Where year, month and day stand."""
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
    year, month, day = (found.groups()[place] for place in _PLACES[order])
    hour, minute, second, half = found.groups()[3:]
    clock = _clock(int(hour or 0), int(minute or 0), int(second or 0), half)
    try:
        return None if clock is None else (date(_year(year), _month(month), int(day)), clock)
    except ValueError:
        return None


def _year(text: str) -> int:
    digits = text.lstrip("-/.")
    return int(digits) + (0 if len(digits) > 2 else 1900 if int(digits) >= CENTURY else 2000)


def _month(text: str) -> int:
    return MONTHS.get(text.lower(), 0) if text[0].isalpha() else int(text)


def _clock(hour: int, minute: int, second: int, half: str | None) -> float | None:
    """The second of the day; None for no time of any. `half` is the letter of AM or PM."""
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half in "Pp" else 0)
    if hour > 23 or minute > 59 or second > 60:
        return None
    return hour * 3600.0 + minute * 60.0 + second


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
