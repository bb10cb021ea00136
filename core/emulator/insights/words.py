"""The text of a query in words: names, numbers, texts, spans of time and signs, each with where it stands."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

UNITS_S = {
    "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "microsecond": 1e-6, "microseconds": 1e-6,
    "day": 86_400.0, "days": 86_400.0, "hour": 3_600.0, "hours": 3_600.0, "minute": 60.0, "minutes": 60.0,
    "second": 1.0, "seconds": 1.0, "millisecond": 1e-3, "milliseconds": 1e-3,
}  # fmt: skip
WORD = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
      | (?P<text>@?"(?:[^"\\]|\\.)*"|@?'(?:[^'\\]|\\.)*')
      | (?P<span>\d+(?:\.\d+)?(?:microseconds?|milliseconds?|seconds?|minutes?|hours?|days?|ms|d|h|m|s)\b)
      | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_$][\w$]*(?:-(?:away|keep|rename|reorder|expand|by|where|apply|cap|operator|stats|smart))?)
      | (?P<sign>!contains(?:_cs)?|!startswith(?:_cs)?|!endswith(?:_cs)?|!has(?:_cs)?|!in~?|!between|[=!]~|[=!<>]=|\.\.
            |[-+*/%<>=|(),.\[\];:])""",
    re.VERBOSE,
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}


class QueryError(Exception):
    """What is wrong with a query, for whoever wrote it."""


@dataclass(frozen=True, slots=True)
class Word:
    """One piece of a query: its kind is a group of WORD, or `end`."""

    kind: str
    text: str
    value: Any = None
    start: int = 0
    """Where it begins in the query."""


def words(query: str) -> list[Word]:
    """The words of a query, an `end` behind them. Raises QueryError for a sign that means nothing."""
    found, at = [], 0
    while at < len(query):
        match = WORD.match(query, at)
        if match is None:
            raise QueryError(f"Syntax error: '{query[at]}' at position {at} is not understood")
        kind, text = str(match.lastgroup), match.group()
        at = match.end()
        if kind != "space":
            found.append(Word(kind, text, _value(kind, text), match.start()))
    return [*found, Word("end", "the end of the query", start=len(query))]


def _value(kind: str, text: str) -> Any:
    if kind == "number":
        return float(text) if any(sign in text for sign in ".eE") else int(text)
    if kind == "span":
        amount, unit = re.fullmatch(r"([\d.]+)([a-z]+)", text).groups()  # type: ignore[union-attr]
        return timedelta(seconds=float(amount) * UNITS_S[unit])
    if kind == "text":
        if text[0] == "@":
            return text[2:-1]
        return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[0]), text[1:-1], flags=re.DOTALL)
    return text
