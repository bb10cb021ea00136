"""The expressions of jobs: `${{inputs.x}}` in a command, `${{parent.jobs.a.outputs.b}}` between nodes.

https://learn.microsoft.com/azure/machine-learning/concept-expressions
"""

import re
from collections.abc import Mapping
from typing import Any

PLACE = re.compile(r"\$\{\{\s*([^{}]+?)\s*\}\}")
OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
BOUND = re.compile(r"parent\.jobs\.(?P<node>[^.]+)\.outputs\.(?P<output>[^.]+)")


class NothingThere(Exception):
    """An expression names what is not there."""


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with its expressions replaced; a part in `$[[...]]` goes where one of its inputs is not given.

    Raises NothingThere for a name outside such a part that is not there.
    """

    def optional(match: re.Match[str]) -> str:
        inside = match[1]
        names = PLACE.findall(inside)
        return inside if all(name in values for name in names) else ""

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise NothingThere(match[1])
        return values[match[1]]

    return PLACE.sub(value, OPTIONAL.sub(optional, text))


def names(value: Any) -> list[str]:
    """The names in all expressions of a value, however deep."""
    if isinstance(value, str):
        return PLACE.findall(value)
    if isinstance(value, Mapping):
        return [name for part in value.values() for name in names(part)]
    if isinstance(value, list | tuple):
        return [name for part in value for name in names(part)]
    return []


def only(text: Any) -> str:
    """The name of a text that is one expression and nothing else; else empty."""
    match = PLACE.fullmatch(text.strip()) if isinstance(text, str) else None
    return match[1] if match else ""


def needs(node: Any) -> set[str]:
    """The nodes whose outputs a node takes."""
    return {match["node"] for name in names(node) if (match := BOUND.fullmatch(name))}
