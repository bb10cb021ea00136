"""Domain values as JSON's own types: the one layout in which a job is stored, printed and sent."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

LEFT_OUT: Mapping[str, Any] = {"none": "left out"}
"""Metadata of a field that does not stand in JSON at all where it is None."""
EMPTY: Mapping[str, Any] = {"none": "empty"}
"""Metadata of a field that is an empty object in JSON where it is None."""


def plain(value: Any) -> Any:
    """`value` with dataclasses as mappings, enums as their values and tuples as lists, to any depth."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(held) for field, held in plain_fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(item) for item in value]
    return value


def plain_fields(value: Any) -> Iterator[tuple["dataclasses.Field[Any]", Any]]:
    """A dataclass's fields that stand in JSON, with what they hold."""
    for field in dataclasses.fields(value):
        held = getattr(value, field.name)
        if held is not None or "none" not in field.metadata:
            yield field, held
        elif field.metadata["none"] == EMPTY["none"]:
            yield field, {}
