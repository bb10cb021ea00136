"""How values are compared with schemas: without the case of letters, as Azure compares its enums."""

from typing import Any


def same(one: Any, other: Any) -> bool:
    """Whether two words are the same to Azure."""
    return isinstance(one, str) and isinstance(other, str) and one.lower() == other.lower()


def named(value: Any) -> str:
    """JSON's name of a value's type."""
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def of_type(value: Any, name: str) -> bool:
    """Whether a value has one of JSON Schema's types."""
    found = named(value)
    return found == name or (name == "number" and found == "integer") or (name == "integer" and value == 0.0)
