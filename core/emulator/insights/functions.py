"""The functions and operators of a query, over values."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from core.emulator.insights.words import words

ZERO = datetime(1, 1, 1, tzinfo=UTC)


def _bin(value: Any, size: Any) -> Any:
    if isinstance(value, datetime):
        return ZERO + (value - ZERO) // size * size
    if isinstance(value, timedelta):
        return value // size * size
    return math.floor(value / size) * size


def _bin_at(value: Any, size: Any, fixed: Any) -> Any:
    return fixed + (value - fixed) // size * size


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _has(left: Any, right: Any) -> bool:
    return re.search(rf"(?<!\w){re.escape(_text(right).lower())}(?!\w)", _text(left).lower()) is not None


def _equal(left: Any, right: Any) -> bool:
    return bool(left == right) or (isinstance(left, bool) and isinstance(right, str) and _text(left) == right)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _when(text: Any) -> datetime | None:
    if isinstance(text, datetime):
        return text
    try:
        found = datetime.fromisoformat(str(text).strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _span(text: Any) -> timedelta:
    if isinstance(text, timedelta):
        return text
    (word, _) = words(str(text))
    return word.value if isinstance(word.value, timedelta) else timedelta(days=float(word.value))


def _minus(left: Any, right: Any) -> Any:
    return -right if isinstance(right, timedelta) and left == 0 else left - right


def _divided(left: Any, right: Any) -> Any:
    return left // right if isinstance(left, int) and isinstance(right, int) else left / right


def _not(name: str) -> Callable[..., Any]:
    return lambda *given: not FUNCTIONS[name](*given)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "==": _equal,
    "=~": lambda left, right: _text(left).lower() == _text(right).lower(),
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "contains": lambda left, right: _text(right).lower() in _text(left).lower(),
    "contains_cs": lambda left, right: _text(right) in _text(left),
    "startswith": lambda left, right: _text(left).lower().startswith(_text(right).lower()),
    "startswith_cs": lambda left, right: _text(left).startswith(_text(right)),
    "endswith": lambda left, right: _text(left).lower().endswith(_text(right).lower()),
    "endswith_cs": lambda left, right: _text(left).endswith(_text(right)),
    "has": _has,
    "in": lambda left, *right: any(_equal(left, each) for each in right),
    "in~": lambda left, *right: _text(left).lower() in {_text(each).lower() for each in right},
    "between": lambda value, low, high: low <= value <= high,
    "+": lambda left, right: left + right,
    "-": _minus,
    "*": lambda left, right: left * right,
    "/": _divided,
    "%": lambda left, right: left % right,
    "bin": _bin,
    "floor": _bin,
    "bin_at": _bin_at,
    "not": lambda value: not value,
    "tostring": _text,
    "toint": lambda value: None if _number(value) is None else int(float(value)),
    "tolong": lambda value: None if _number(value) is None else int(float(value)),
    "todouble": _number,
    "toreal": _number,
    "tobool": lambda value: {"true": True, "false": False, "1": True, "0": False}.get(_text(value).lower()),
    "todatetime": _when,
    "datetime": _when,
    "timespan": _span,
    "time": _span,
    "tolower": lambda value: _text(value).lower(),
    "toupper": lambda value: _text(value).upper(),
    "strlen": lambda value: len(_text(value)),
    "strcat": lambda *given: "".join(map(_text, given)),
    "isempty": lambda value: _text(value) == "",
    "isnotempty": lambda value: _text(value) != "",
    "isnull": lambda value: value is None,
    "isnotnull": lambda value: value is not None,
    "iff": lambda condition, left, right: left if condition is True else right,
    "iif": lambda condition, left, right: left if condition is True else right,
    "round": lambda value, digits=0: round(float(value), digits),
}
for _name in ("contains", "contains_cs", "startswith", "startswith_cs", "endswith", "endswith_cs", "has", "in", "in~",
              "between"):  # fmt: skip
    FUNCTIONS[f"!{_name}"] = _not(_name)
FUNCTIONS |= {"!=": _not("=="), "!~": _not("=~"), "has_cs": FUNCTIONS["contains_cs"]}
FUNCTIONS["!has_cs"] = _not("has_cs")
LAZY = frozenset({"and", "or", "now", "ago"})
"""Known too, and not among these: they look at their values themselves, or at the clock."""
