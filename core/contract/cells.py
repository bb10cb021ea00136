"""What a column accepts in one cell, and how a refusal reads."""

import math
import sys
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from core.domain.data import ColumnKind
from core.domain.signature import Column

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
FLOAT64_MAX = sys.float_info.max

ECHO_CHARS_MAX = 40
"""What a reply repeats of a client's value."""

LEVELS_SHOWN = 8

MISSING: Final = msgspec.UNSET
"""The value of a column that a row does not have."""

REFUSED: Final = msgspec.NODEFAULT
"""Given instead of a value by a check that refuses it."""

SCALARS = frozenset((str, int, float, bool, type(None)))
TYPES = {
    ColumnKind.INTEGER: int,
    ColumnKind.NUMBER: float,
    ColumnKind.BOOLEAN: bool,
    ColumnKind.STRING: str,
}
NOUNS = {
    ColumnKind.INTEGER: "an integer",
    ColumnKind.NUMBER: "a number",
    ColumnKind.BOOLEAN: "true or false",
    ColumnKind.STRING: "a string",
}


class CellCheck:
    """The rule of one column: `values` turns a whole column, `value` one cell, `problem` says why one is refused."""

    def __init__(self, column: Column, *, accept_unseen: bool) -> None:
        self.column = column
        self.required = column.used and not column.nullable
        self._levels = frozenset(column.levels) if column.closed and not accept_unseen else None
        self._plain = frozenset((TYPES[column.kind],)) if column.used else SCALARS

    def values(self, values: Sequence[Any]) -> list[Any]:
        """Every cell in the column's type, REFUSED in the place of each that is not acceptable."""
        if set(map(type, values)) <= self._plain and self._all_within(values):
            return list(values)
        return [self.value(value) for value in values]

    def value(self, value: Any) -> Any:
        """One cell in the column's type, None when it is missing and may be, else REFUSED."""
        if value is None or value is MISSING:
            return REFUSED if self.required else None
        kind = type(value)
        if not self.column.used:
            return value if kind in SCALARS else REFUSED
        match self.column.kind:
            case ColumnKind.INTEGER:
                return _integer(value, kind)
            case ColumnKind.NUMBER:
                return _number(value, kind)
            case ColumnKind.BOOLEAN:
                return value if kind is bool else REFUSED
            case ColumnKind.STRING:
                return value if kind is str and (self._levels is None or value in self._levels) else REFUSED

    def problem(self, value: Any) -> str:
        """Why a refused value is refused: what was expected, and what came, cut short."""
        if value is MISSING:
            return "required, but missing"
        return f"expected {self._expected(value)}, got {echo(value)}{self._meant(value)}"

    def code(self, value: Any) -> tuple[str, str]:
        """Which rule a refused value breaks; and the value itself where it is a category that is not known."""
        kind = type(value)
        if value is None or value is MISSING:
            return "required", ""
        if self._levels is not None and kind is str:
            return "unseen_category", value
        numeric = self.column.used and self.column.kind in (ColumnKind.INTEGER, ColumnKind.NUMBER)
        fits = kind is int or (kind is float and (self.column.kind is ColumnKind.NUMBER or float_is_whole(value)))
        return ("out_of_range" if numeric and fits else "wrong_type"), ""

    def _meant(self, value: Any) -> str:
        """The level that a client probably meant: the same but for case and blanks."""
        if type(value) is not str or self._levels is None:
            return ""
        plain = " ".join(value.casefold().split())
        near = next((level for level in self.column.levels if " ".join(level.casefold().split()) == plain), None)
        return "" if near is None else f"; did you mean {echo(near)}?"

    def _all_within(self, values: Sequence[Any]) -> bool:
        if not self.column.used or not values:
            return True
        if self._levels is not None:
            return self._levels.issuperset(values)
        if self.column.kind is ColumnKind.INTEGER:
            return bool(min(values) >= INT64_MIN and max(values) <= INT64_MAX)
        return True

    def _expected(self, value: Any) -> str:
        if not self.column.used:
            return "a string, number, boolean or null (the column is unused)"
        noun = NOUNS[self.column.kind]
        if self.column.kind is ColumnKind.INTEGER and type(value) in (int, float) and float_is_whole(value):
            noun = "a 64-bit integer"
        elif self.column.kind is ColumnKind.NUMBER and type(value) is int:
            noun = "a 64-bit number"
        elif self._levels is not None and type(value) is str:
            noun = f"one of {_some(self.column.levels)}"
        return f"{noun} or null" if self.column.nullable else noun


def echo(value: Any) -> str:
    """The value as JSON, at most 40 characters of it."""
    try:
        return cut(msgspec.json.encode(value).decode())
    except RecursionError:
        return "a deeply nested value"


def cut(text: str) -> str:
    """The text, at most 40 characters of it."""
    return text if len(text) <= ECHO_CHARS_MAX else f"{text[: ECHO_CHARS_MAX - 1]}…"


def float_is_whole(value: float) -> bool:
    """Whether a number (an int, or a float such as 1.0) has no fraction."""
    return type(value) is int or float(value).is_integer()


def _some(levels: Sequence[str]) -> str:
    shown = ", ".join(echo(level) for level in levels[:LEVELS_SHOWN])
    more = len(levels) - LEVELS_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _integer(value: Any, kind: type) -> Any:
    """JSON has one kind of number, so `1.0` is an integer; `true` is not, though Python says so."""
    if kind is float and value.is_integer():
        value = int(value)
    elif kind is not int:
        return REFUSED
    return value if INT64_MIN <= value <= INT64_MAX else REFUSED


def _number(value: Any, kind: type) -> Any:
    if kind is float:
        return value if math.isfinite(value) else REFUSED
    # Compared as integers: just beyond the border `float` would round back to it.
    return float(value) if kind is int and abs(value) <= int(FLOAT64_MAX) else REFUSED
