"""What a parameter's, or a setting's, value may be: its type, and what is wrong with one that does not fit."""

import math
from typing import Any

from core.domain.errors import SpecInvalid
from core.domain.pipeline import Parameter, ParameterType
from core.domain.rules import shown

WHOLE_MAX = 2**53
"""Beyond it, JSON's readers no longer agree on a whole number."""

EXPECTED = {
    ParameterType.STRING: "a text",
    ParameterType.INTEGER: "a whole number",
    ParameterType.NUMBER: "a number",
    ParameterType.BOOLEAN: "true or false",
    ParameterType.LIST: "a list of texts",
    ParameterType.DATA: "a table's path or name, as text",
}
NUMBERS = (ParameterType.INTEGER, ParameterType.NUMBER)
TEXTS = (ParameterType.STRING, ParameterType.DATA)


def converted(kind: ParameterType, value: Any) -> Any:
    """The value as its type has it: 10.0 is the whole number 10, a tuple is a list. Raises ValueError that says what
    was expected."""
    if kind in TEXTS and _storable(value):
        return value
    if kind is ParameterType.BOOLEAN and isinstance(value, bool):
        return value
    if kind is ParameterType.LIST and isinstance(value, list | tuple) and all(map(_storable, value)):
        return list(value)
    if kind in NUMBERS and isinstance(value, int | float) and not isinstance(value, bool) and _finite(value):
        if kind is ParameterType.NUMBER:
            return value
        if value == int(value) and abs(value) <= WHOLE_MAX:
            return int(value)
    raise ValueError(EXPECTED[kind])


def checked(parameter: Parameter, value: Any) -> Any:
    """The value that a run was given for a parameter, as its type has it. Raises SpecInvalid."""
    what = f"Parameter '{parameter.name}'"
    try:
        found = converted(parameter.type, value)
    except ValueError as e:
        raise SpecInvalid(f"{what} is {shown(value)}, expected {e}") from e
    strange = [each for each in (found if isinstance(found, list) else [found]) if each not in parameter.choices]
    if parameter.choices and strange:
        verb = "has the entry" if isinstance(found, list) else "is"
        known = ", ".join(map(str, parameter.choices))
        raise SpecInvalid(f"{what} {verb} {shown(strange[0])}, expected one of {known}")
    size, of = found, ""
    if not isinstance(found, int | float):
        size, of = len(found), " entries" if isinstance(found, list) else " characters"
    if isinstance(found, bool) or (
        (parameter.minimum is None or size >= parameter.minimum)
        and (parameter.maximum is None or size <= parameter.maximum)
    ):
        return found
    said = f"has {size}{of}" if of else f"is {shown(value)}"
    raise SpecInvalid(f"{what} {said}, expected {limits(parameter)}{of}")


def limits(parameter: Parameter) -> str:
    """What a parameter's limits allow, in words; empty where it has none."""
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None:
        return f"{low:,.12g} to {high:,.12g}"
    if low is not None:
        return f"at least {low:,.12g}"
    return "" if high is None else f"at most {high:,.12g}"


def fits(given: ParameterType, wanted: ParameterType) -> bool:
    """Whether every value of one type can stand where another is wanted."""
    return given is wanted or (given, wanted) in (
        (ParameterType.INTEGER, ParameterType.NUMBER),
        (ParameterType.DATA, ParameterType.STRING),
    )


def words(value: Any) -> Any:
    """A list of words as people write it: the 20 in `[python, train.py, 20]` is the text that they mean."""
    return [_word(each) for each in value] if isinstance(value, list | tuple) else value


def _word(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if number and _finite(value) else value


def _storable(value: Any) -> bool:
    """A text that JSON and a command line can carry."""
    return isinstance(value, str) and "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def type_of(default: Any) -> ParameterType:
    """The type of a parameter of which nothing but its default is known."""
    kinds = {bool: ParameterType.BOOLEAN, int: ParameterType.INTEGER, float: ParameterType.NUMBER}
    return (kinds | {list: ParameterType.LIST, tuple: ParameterType.LIST}).get(type(default), ParameterType.STRING)
