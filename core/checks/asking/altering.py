"""Bodies changed on purpose, byte by byte: a change that changes nothing proves nothing, so it is no verdict."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from core.checks.probe.probe import Probe
from core.domain.errors import NoVerdict

MARK = "@"
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
"""The strings of a JSON text."""


def changed(body: bytes, old: bytes, new: bytes) -> bytes:
    """The body with `new` where `old` stands. Raises NoVerdict unless it stands there once and is another."""
    if old == new or body.count(old) != 1:
        raise NoVerdict(f"The body has {old[:40]!r} in {body.count(old)} places, expected one that can be changed")
    return body.replace(old, new)


def with_literal(probe: Probe, row: Mapping[str, Any], name: str, literal: bytes, method: str | None = None) -> bytes:
    """A body of this row that holds these bytes where the column's value stands."""
    mark = unlike(MARK, _texts(probe, row))
    return changed(probe.body([{**row, name: mark}], method), json.dumps(mark).encode(), literal)


def unlike(name: str, known: Iterable[str]) -> str:
    """`name`, made longer until none of `known` holds it."""
    text = "\n".join(known)
    while name in text:
        name += "_"
    return name


def escaped(text: str) -> str:
    """The JSON with every letter of its strings as an escape; those above U+FFFF are two, a surrogate pair."""
    return STRING.sub(lambda found: f'"{_units(json.loads(found[0]))}"', text)


def _units(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _texts(probe: Probe, row: Mapping[str, Any]) -> Iterable[str]:
    yield from row
    yield from (value for value in row.values() if isinstance(value, str))
    yield from (repr(fixed) for fixed in probe.described.beside.values())
