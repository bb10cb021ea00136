"""How a value is kept: as JSON with the version, `v`, of its format. Reading it checks no rule.

A constructor checks what is asked for. What is kept was checked then, and is read whatever rule has been tightened
since: unknown fields are ignored, missing ones take their defaults.
"""

from collections import abc
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import cache, reduce
from operator import or_
from types import GenericAlias, UnionType
from typing import Any, ClassVar, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from core.domain.earlier import training_with_azure_names
from core.domain.errors import StoredUnreadable
from core.domain.pipeline import PipelineSpec
from core.domain.run import StepRun
from core.domain.training import TrainingSpec

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Body = dict[str, Any]


def _with_typed_parameters(body: Body) -> Body:
    """Before 0.5.0 a pipeline's parameters were names with their defaults; what they stand for tells more."""
    kinds = {bool: "boolean", int: "integer", float: "number", list: "list", str: "string"}
    settings = [setting for step in body["steps"] for setting in step.get("settings", {}).items()]
    uses = {value: name for name, value in settings if isinstance(value, str)}
    made = []
    for name, default in body.get("parameters", {}).items():
        kind, use = kinds.get(type(default), "string"), uses.get(f"${{{name}}}")
        if (kind, use) == ("integer", "timeout_s"):
            kind = "number"
        elif (kind, use) == ("string", "data"):
            kind = "data"
        made.append({"name": name, "type": kind, "default": default})
    return body | {"parameters": made}


def _with_jobs_of_their_own(body: Body) -> Body:
    """Before 0.5.0 a step was done in its run's process, and its only job was the training that it started."""
    started = body.pop("job_id", "")
    if body["state"] == "running" and not started:
        body["state"] = "queued"
    outputs = body.pop("output", {})
    if "data" in outputs and "version" in outputs:
        outputs["data"] = f"{outputs['data']}:{outputs.pop('version')}"
    if "model" in outputs and "version" in outputs:
        outputs["model"] = f"{outputs['model']}:{outputs.pop('version')}"
    return body | {"started_job_id": started, "outputs": outputs, "attempt": int(bool(body.get("started_at")))}


UPGRADES: Mapping[type, tuple[Callable[[Body], Body], ...]] = {
    PipelineSpec: (_with_typed_parameters,),
    StepRun: (_with_jobs_of_their_own,),
    TrainingSpec: (training_with_azure_names,),
}
"""Each type's changes of format, oldest first: the first turns a body of `v` 1 into one of `v` 2. Add to the end.

A new field with a default needs no upgrade, nor does a field that is dropped; one that is renamed, or means something
else from now on, does. A body without `v` is of the first format, from before formats were counted.
"""
VERSION = "v"
COUNTED = '{"v":'
"""How a body that says its format begins, as it is written here."""


def encode(value: Any, of: type = dict) -> str:
    """A dataclass, or a dictionary of JSON, as it is kept; `of` says whose dictionary it is."""
    if isinstance(value, Mapping):
        kind, body = of, value
    else:
        kind, body = type(value), {field.name: getattr(value, field.name) for field in fields(value)}
    return msgspec.json.encode({VERSION: _format(kind).version, **body}).decode()


def decode(text: str, kind: type[T], what: str) -> T:
    """The value that is kept of `what`, the row's name for people. Raises StoredUnreadable."""
    try:
        value: T = _format(kind).read(text)
        return value
    except msgspec.DecodeError as e:
        raise _unreadable(what, str(e)) from e


def member(kind: type[E], text: str, what: str) -> E:
    """A state or kind that stands in a column of its own. Raises StoredUnreadable."""
    try:
        return kind(text)
    except ValueError as e:
        raise _unreadable(what, str(e)) from e


def _unreadable(what: str, why: str) -> StoredUnreadable:
    return StoredUnreadable(
        f"What the workspace keeps of {what} cannot be read: {why}", hint="Was it written by a newer Slipway?"
    )


class _Format:
    """How one type is read. msgspec would run the checks of its constructor, hence it reads a twin that has none."""

    def __init__(self, kind: Any) -> None:
        self._upgrades = UPGRADES.get(kind, ())
        self.version = len(self._upgrades) + 1
        self._begins = f"{COUNTED}{self.version},", f"{COUNTED}{self.version}}}"
        self._twin = _twin(kind)
        self._decoder = msgspec.json.Decoder(self._twin)
        self._finish: Callable[[Any], Any] | None = (
            _uncounted if kind is dict else _filled if _has_checks(kind) else None
        )

    def read(self, text: str) -> Any:
        current = text.startswith(self._begins) or (self.version == 1 and not text.startswith(COUNTED))
        found = self._decoder.decode(text) if current else self._upgraded(text)
        return found if self._finish is None else self._finish(found)

    def _upgraded(self, text: str) -> Any:
        body = msgspec.json.decode(text, type=Body)
        found = body.pop(VERSION, 1)
        if found > self.version:
            raise msgspec.DecodeError(f"it has format {found}, this Slipway knows {self.version}")
        for upgrade in self._upgrades[found - 1 :]:
            body = upgrade(body)
        return msgspec.convert(body, self._twin, str_keys=True)


_format: Callable[[Any], _Format] = cache(_Format)


def _uncounted(body: Body) -> Body:
    body.pop(VERSION, None)
    return body


@cache
def _has_checks(kind: Any) -> bool:
    """Whether a constructor in it checks anything."""
    if is_dataclass(kind):
        return hasattr(kind, "__post_init__") or any(map(_has_checks, get_type_hints(kind).values()))
    return any(map(_has_checks, get_args(kind)))


@cache
def _twin(kind: Any) -> Any:
    """A type with the same fields, and no constructor that checks them."""
    if not _has_checks(kind):
        return kind
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        taken = [(field.name, _twin(hints[field.name]), _default(field)) for field in fields(kind)]
        own = {"_of": kind, "_nested": frozenset(name for name, hint in hints.items() if _has_checks(hint))}
        return msgspec.defstruct("Twin", taken, bases=(_Twin,), namespace=own, kw_only=True)
    parts = tuple(map(_twin, get_args(kind)))
    origin: Any = get_origin(kind)
    if origin is tuple:
        return origin[parts]
    if origin in (Union, UnionType):
        return reduce(or_, parts)
    if origin is abc.Mapping:
        return GenericAlias(dict, parts)
    raise TypeError(f"A stored value cannot hold {kind}: say here and in `_filled` how it is read")


class _Twin(msgspec.Struct):
    _of: ClassVar[Any]
    _nested: ClassVar[frozenset[str]]


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return msgspec.field(default_factory=field.default_factory)
    return msgspec.NODEFAULT if field.default is MISSING else field.default


def _filled(found: Any) -> Any:
    """The value whose fields a twin has."""
    if isinstance(found, _Twin):
        value: Any = object.__new__(found._of)
        for name in found.__struct_fields__:
            part = getattr(found, name)
            object.__setattr__(value, name, _filled(part) if name in found._nested else part)
        return value
    if isinstance(found, dict):
        return {key: _filled(part) for key, part in found.items()}
    return tuple(map(_filled, found)) if isinstance(found, tuple) else found
