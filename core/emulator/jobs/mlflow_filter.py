"""The language of MLflow's searches: `metrics.AUC > 0.8 and tags.mlflow.parentRunId = 'x'`, and its orders.

Grammar: https://mlflow.org/docs/latest/search-runs.html; what it does not say is refused by name.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.emulator.messages import AzureError

TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*'|"[^"]*")|(?P<sign><=|>=|!=|=|<|>)|(?P<mark>[(),])"""
    r"""|(?P<word>(?:[\w.\-+]|`[^`]*`|"[^"]*"(?=\s*[=!<>]))+))""",
    re.VERBOSE,
)
KINDS = {
    "metric": "metrics", "metrics": "metrics", "param": "params", "params": "params", "parameter": "params",
    "parameters": "params", "tag": "tags", "tags": "tags", "attribute": "attributes", "attributes": "attributes",
    "attr": "attributes", "run": "attributes",
}  # fmt: skip
NUMBERS = {
    ">": lambda a, b: a > b, "<": lambda a, b: a < b, ">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip
ALIASES = {"Created": "start_time", "created": "start_time", "Run Name": "run_name", "run name": "run_name"}

Fields = Mapping[str, Mapping[str, Any]]
"""`metrics`, `params`, `tags` and `attributes` of a run."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison."""

    kind: str
    key: str
    sign: str
    wanted: Any

    def holds(self, fields: Fields) -> bool:
        """Whether a run is as the comparison wants it; what a run lacks is like nothing."""
        found = fields[self.kind].get(self.key)
        if self.sign in ("IS NULL", "IS NOT NULL"):
            return (found is None) == (self.sign == "IS NULL")
        if found is None:
            return False
        return COMPARED[self.sign](found, self.wanted)


def parse(text: str) -> tuple[Clause, ...]:
    """All comparisons of a filter, which must all hold. Raises AzureError 400."""
    tokens, clauses = _tokens(text), []
    while tokens:
        clauses.append(_clause(tokens, text))
        if tokens and tokens.pop(0)[1].upper() != "AND":
            raise _wrong(text, "comparisons are joined by 'and'")
        if not tokens and text.strip().upper().endswith(" AND"):
            raise _wrong(text, "a comparison is missing after 'and'")
    return tuple(clauses)


def ordered(runs: list[tuple[Fields, Any]], orders: list[str]) -> list[Any]:
    """Runs in the order that is asked for; those that lack a value come last."""
    found = list(runs)
    for order in reversed(orders):
        name, _, direction = order.strip().rpartition(" ")
        if direction.upper() not in ("ASC", "DESC") or not name:
            name, direction = order.strip(), "ASC"
        kind, key = _identifier(name, order)
        down = direction.upper() == "DESC"
        there = [each for each in found if each[0][kind].get(key) is not None]
        lacking = [each for each in found if each[0][kind].get(key) is None]
        there.sort(key=lambda each: each[0][kind][key], reverse=down)
        found = [*there, *lacking]
    return [run for _, run in found]


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = TOKEN.match(text, at)
        if not match or match.end() == at:
            raise _wrong(text, f"it cannot be read from '{text[at : at + 20]}' on")
        kind = str(match.lastgroup)
        tokens.append((kind, match[kind]))
        at = match.end()
    return tokens


def _clause(tokens: list[tuple[str, str]], text: str) -> Clause:
    if tokens[0][0] == "mark" or len(tokens) < 3:
        raise _wrong(text, "a comparison is a name, a sign and a value; parentheses stand after IN only")
    kind, key = _identifier(tokens.pop(0)[1], text)
    sign = tokens.pop(0)[1].upper()
    if sign in ("NOT", "IS"):
        sign = f"{sign} {tokens.pop(0)[1].upper()}"
        if sign == "IS NOT":
            sign = f"{sign} {tokens.pop(0)[1].upper()}" if tokens else sign
    if sign in ("IS NULL", "IS NOT NULL"):
        return Clause(kind, key, sign, None)
    if sign not in COMPARED or not tokens:
        raise _wrong(text, f"'{sign}' compares nothing")
    if sign in ("IN", "NOT IN"):
        return Clause(kind, key, sign, _several(tokens, text))
    value_kind, value = tokens.pop(0)
    number = kind == "metrics" or (kind == "attributes" and key in ("start_time", "end_time"))
    if number:
        try:
            return Clause(kind, key, sign, float(value))
        except ValueError as e:
            raise _wrong(text, f"{key} is compared with a number, not {value}") from e
    if value_kind != "text":
        raise _wrong(text, f"{key} is compared with a text in quotes, not {value}")
    return Clause(kind, key, sign, _unquoted(value))


def _several(tokens: list[tuple[str, str]], text: str) -> tuple[str, ...]:
    if tokens.pop(0)[1] != "(":
        raise _wrong(text, "IN is followed by a list in parentheses")
    found: list[str] = []
    while tokens:
        kind, value = tokens.pop(0)
        if value == ")" and kind == "mark":
            return tuple(found)
        if kind == "text":
            found.append(_unquoted(value))
    raise _wrong(text, "a list has no end")


def _identifier(name: str, text: str) -> tuple[str, str]:
    kind, dot, key = name.partition(".")
    if not dot:
        kind, key = "attributes", name
    if kind.lower() not in KINDS:
        raise _wrong(text, f"there is no '{kind}': a name begins with metrics, params, tags or attributes")
    key = key.strip('`"')
    known = KINDS[kind.lower()]
    return known, ALIASES.get(key, key) if known == "attributes" else key


def _unquoted(value: str) -> str:
    return value[1:-1].replace("''", "'")


def _like(pattern: str, flags: int = 0) -> re.Pattern[str]:
    parts = (".*" if letter == "%" else "." if letter == "_" else re.escape(letter) for letter in pattern)
    return re.compile("".join(parts), re.DOTALL | flags)


COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    **NUMBERS,
    "LIKE": lambda found, wanted: bool(_like(wanted).fullmatch(str(found))),
    "ILIKE": lambda found, wanted: bool(_like(wanted, re.IGNORECASE).fullmatch(str(found))),
    "IN": lambda found, wanted: found in wanted,
    "NOT IN": lambda found, wanted: found not in wanted,
    "IS NULL": lambda found, wanted: False,
    "IS NOT NULL": lambda found, wanted: True,
}


def _wrong(text: str, why: str) -> AzureError:
    return AzureError(400, "INVALID_PARAMETER_VALUE", f"Invalid clauses in filter string '{text}': {why}")
