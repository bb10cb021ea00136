"""Bicep's types of a version of the API: every property of a resource, those that only Azure sets among them."""

import json
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from contract_tests.azure.words import named, of_type, same

REQUIRED, READ_ONLY, WRITE_ONLY = 1, 2, 4
ENVELOPE = frozenset({"apiversion", "id", "name", "type"})
"""What the types say otherwise of a resource than bodies have it."""


class Bicep:
    """The types of one version, as an array whose members name each other by their place."""

    def __init__(self, path: Path, numbers: frozenset[str]) -> None:
        self._types: list[dict[str, Any]] = json.loads(path.read_bytes())
        self._numbers = numbers

    @cached_property
    def _resources(self) -> Mapping[str, Any]:
        return {
            each["name"].partition("@")[0].lower(): each["body"]
            for each in self._types
            if each["$type"] == "ResourceType"
        }

    @cached_property
    def _answers(self) -> Mapping[tuple[str, str], Any]:
        return {
            (each["resourceType"].lower(), each["name"].lower()): each["output"]
            for each in self._types
            if each["$type"] == "ResourceFunctionType"
        }

    def has(self, kind: str) -> bool:
        return kind.lower() in self._resources

    def resource(self, kind: str, value: Any, *, sent: bool, whole: bool = True) -> Iterator[str]:
        """What is wrong with a resource, as it was `sent` by a client or answered; `whole` where nothing may lack."""
        if not sent and isinstance(value, dict):
            yield from (f"{name}: is missing" for name in ("id", "name", "type") if not value.get(name))
        yield from self._faults(self._resources[kind.lower()], value, "", sent, whole)

    def answer(self, kind: str, action: str, value: Any) -> Iterator[str]:
        """What is wrong with the answer to an action of a resource; nothing where the version does not describe it."""
        shape = self._answers.get((kind.lower(), action.lower()))
        if shape:
            yield from self._faults(shape, value, "", sent=False, whole=True)

    def _faults(self, ref: Any, value: Any, at: str, sent: bool, whole: bool) -> Iterator[str]:
        shape = self._types[int(ref["$ref"].removeprefix("#/"))]
        if value is None or shape["$type"] == "AnyType":
            return
        match shape["$type"]:
            case "ObjectType":
                yield from self._object(shape, shape.get("properties", {}), value, at, sent, whole)
            case "DiscriminatedObjectType":
                yield from self._variant(shape, value, at, sent, whole)
            case "ArrayType":
                if not isinstance(value, list):
                    yield f"{at}: {named(value)} where an array is expected"
                    return
                for index, each in enumerate(value):
                    yield from self._faults(shape["itemType"], each, f"{at}[{index}]", sent, whole)
            case "UnionType":
                options = [self._types[int(each["$ref"].removeprefix("#/"))] for each in shape["elements"]]
                if not any(self._fits(each, value, at) for each in options):
                    words = ", ".join(str(each.get("value", each["$type"])) for each in options)
                    yield f"{at}: {value!r} is none of {words}"
            case _:
                if not self._fits(shape, value, at):
                    yield f"{at}: {named(value)} {value!r} where {shape.get('value', shape['$type'])} is expected"

    def _fits(self, shape: Mapping[str, Any], value: Any, at: str) -> bool:
        match shape["$type"]:
            case "StringLiteralType":
                return same(value, shape["value"])
            case "StringType":
                return isinstance(value, str)
            case "BooleanType":
                return isinstance(value, bool)
            case "IntegerType":
                number = at.rpartition(".")[2].lower() in self._numbers
                return of_type(value, "number" if number else "integer")
            case "NullType":
                return value is None
            case _:
                return True

    def _variant(self, shape: Mapping[str, Any], value: Any, at: str, sent: bool, whole: bool) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{at}: {named(value)} where an object is expected"
            return
        word = next((each for name, each in value.items() if same(name, shape["discriminator"])), None)
        element = next((ref for name, ref in shape["elements"].items() if same(name, word)), None)
        if element is None:
            if whole or word is not None:
                yield f"{at}.{shape['discriminator']}: {word!r} is none of {', '.join(shape['elements'])}"
            return
        own = self._types[int(element["$ref"].removeprefix("#/"))]
        if own["$type"] == "DiscriminatedObjectType":
            merged = own | {"baseProperties": shape["baseProperties"] | own["baseProperties"]}
            yield from self._variant(merged, value, at, sent, whole)
            return
        yield from self._object(own, shape["baseProperties"] | own.get("properties", {}), value, at, sent, whole)

    def _object(
        self, shape: Mapping[str, Any], properties: Mapping[str, Any], value: Any, at: str, sent: bool, whole: bool
    ) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{at}: {named(value)} where an object is expected"
            return
        more = shape.get("additionalProperties")
        known = {name.lower(): each for name, each in properties.items()}
        for name, each in value.items():
            where = f"{at}.{name}" if at else name
            if name.lower() in known:
                yield from self._faults(known[name.lower()]["type"], each, where, sent, whole)
            elif more:
                yield from self._faults(more, each, where, sent, whole)
            elif properties:
                yield f"{where}: is no property of {shape.get('name', 'this')}"
        given = {name.lower() for name, each in value.items() if each is not None}
        for name, each in properties.items():
            if not whole or not each["flags"] & REQUIRED or name.lower() in ENVELOPE | given:
                continue
            if not (sent and (not at or each["flags"] & READ_ONLY)) and not (not sent and each["flags"] & WRITE_ONLY):
                yield f"{at}.{name}: is missing".removeprefix(".")


@cache
def bicep(path: Path, numbers: frozenset[str]) -> Bicep:
    """The types in a file, read once."""
    return Bicep(path, numbers)
