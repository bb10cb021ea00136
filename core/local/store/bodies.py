"""What is kept of a value: JSON with the version `v` of its noun's format; reading it asks no rule.

A constructor checks what is asked for. What is kept was asked for once, and is read whatever rule was tightened since:
unknown fields are ignored, missing ones take their defaults.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import cache, partial
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from core.domain.errors import StoredUnreadable

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Body = dict[str, Any]
Read = Callable[[Any], Any]

UPGRADES: Mapping[type, tuple[Callable[[Body], Body], ...]] = {}
"""Each noun's changes of format, oldest first: the first makes of a body of `v` 1 one of `v` 2. Add to the end.

A field that comes with a default needs none, nor does one that goes; a field that is renamed, or means something else,
does. A body without `v` is of the first format, from before it was counted.
"""
VERSION = "v"


def encode(value: Any) -> str:
    """A dataclass, or a mapping of JSON, as it is kept."""
    body = value if isinstance(value, Mapping) else {f.name: getattr(value, f.name) for f in fields(value)}
    return msgspec.json.encode({VERSION: _format_of(type(value)), **body}).decode()


def decode(text: str, kind: type[T], what: str) -> T:
    """The value that is kept of `what`, the row's name for people. Raises StoredUnreadable."""
    try:
        body = _upgraded(msgspec.json.decode(text, type=Body), kind)
        value: T = _reader(cast("Hashable", kind))(body)
        return value
    except msgspec.DecodeError as e:
        raise _unreadable(what, str(e)) from e


def member(kind: type[E], text: str, what: str) -> E:
    """A state or kind that stands in a column of its own. Raises StoredUnreadable."""
    try:
        return kind(text)
    except ValueError as e:
        raise _unreadable(what, f"{e}") from e


def _unreadable(what: str, why: str) -> StoredUnreadable:
    return StoredUnreadable(
        f"What the workspace keeps of {what} cannot be read: {why}", hint="Was it written by a newer Slipway?"
    )


def _format_of(kind: type) -> int:
    return len(UPGRADES.get(kind, ())) + 1


def _upgraded(body: Body, kind: type) -> Body:
    known, found = _format_of(kind), body.pop(VERSION, 1)
    if found > known:
        raise msgspec.DecodeError(f"it has format {found}, this Slipway knows {known}")
    for upgrade in UPGRADES.get(kind, ())[found - 1 :]:
        body = upgrade(body)
    return body


@cache
def _reader(kind: Any) -> Read:
    """Makes a value of what JSON gave. Msgspec would run the constructors' checks: it does what has none."""
    if not _has_checks(kind):
        return lambda value: msgspec.convert(value, kind, str_keys=True)
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        readers = tuple((field, _reader(hints[field.name])) for field in fields(kind))
        return partial(_built, kind, readers)
    inner = [part for part in get_args(kind) if part not in (type(None), Ellipsis)]
    if get_origin(kind) is tuple and len(inner) == 1:
        return lambda values: tuple(map(_reader(inner[0]), values))
    if get_origin(kind) in (Union, UnionType) and len(inner) == 1:
        return lambda value: None if value is None else _reader(inner[0])(value)
    raise TypeError(f"A stored value cannot hold {kind}: say here how it is read without its checks")


@cache
def _has_checks(kind: Any) -> bool:
    """Whether a constructor in it asks rules."""
    if is_dataclass(kind):
        return hasattr(kind, "__post_init__") or any(map(_has_checks, get_type_hints(kind).values()))
    return any(map(_has_checks, get_args(kind)))


def _built(kind: Any, readers: tuple[tuple[Field[Any], Read], ...], body: Any) -> Any:
    if not isinstance(body, dict):
        raise msgspec.ValidationError(f"Expected `object`, got `{type(body).__name__}`")
    value: Any = object.__new__(kind)
    for field, read in readers:
        try:
            found = read(body[field.name]) if field.name in body else _default(field)
        except msgspec.ValidationError as e:
            raise msgspec.ValidationError(f"{field.name}: {e}") from e
        object.__setattr__(value, field.name, found)
    return value


def _default(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    if field.default_factory is not MISSING:
        return field.default_factory()
    raise msgspec.ValidationError("it is missing")
