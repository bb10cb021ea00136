"""The JSON Schemas of what may be PUT, with what strict JSON Schema makes impossible put right.

A polymorphic type is written there as `allOf: [{base, additionalProperties: false}, {oneOf: [branches]}]`, which no
document satisfies: here the base is merged into the branch that the discriminator names.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from contract_tests.azure.words import named, of_type, same

Schema = Mapping[str, Any]
EXPRESSION = "common/definitions.json#/definitions/expression"
"""A template may write an expression in any place; a request never does."""


class Arm:
    """The schemas of one version."""

    def __init__(self, path: Path, numbers: frozenset[str]) -> None:
        document = json.loads(path.read_bytes())
        self._definitions: Schema = document["definitions"]
        self._numbers = numbers
        self._resources = {
            each["properties"]["type"]["enum"][0].lower(): each for each in document["resourceDefinitions"].values()
        }

    def has(self, kind: str) -> bool:
        return kind.lower() in self._resources

    def body(self, kind: str, name: str, value: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with the body of a PUT to a resource of that name."""
        shape = self._resources[kind.lower()]
        whole = {**value, "type": kind, "name": name, "apiVersion": shape["properties"]["apiVersion"]["enum"][0]}
        yield from self._faults(shape, whole, "")

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self._definitions[schema["$ref"].rpartition("/")[2]]
        if "oneOf" in schema:
            options = [each for each in schema["oneOf"] if not each.get("$ref", "").endswith(EXPRESSION)]
            if len(options) == 1:
                return self._resolved(options[0])
            return {**schema, "oneOf": options}
        return schema

    def _faults(self, schema: Schema, value: Any, at: str) -> Iterator[str]:
        shape = self._resolved(schema)
        if value is None or shape.get("$ref", "").endswith(EXPRESSION):
            return
        if "allOf" in shape:
            yield from self._variant(shape, value, at)
        elif "oneOf" in shape:
            tried = [list(self._faults(each, value, at)) for each in shape["oneOf"]]
            yield from [] if not tried else min(tried, key=len)
        else:
            yield from self._plain(shape, value, at)

    def _plain(self, shape: Schema, value: Any, at: str) -> Iterator[str]:
        expected = shape.get("type")
        last = at.rpartition(".")[2].lower()
        if expected == "integer" and last in self._numbers:
            expected = "number"
        if expected and not of_type(value, expected):
            yield f"{at}: {named(value)} {value!r} where {expected} is expected"
            return
        if "enum" in shape and not any(same(value, each) or value == each for each in shape["enum"]):
            yield f"{at}: {value!r} is none of {', '.join(map(str, shape['enum']))}"
        if "pattern" in shape and isinstance(value, str) and not re.search(shape["pattern"], value):
            yield f"{at}: {value!r} does not match {shape['pattern']}"
        yield from self._bounds(shape, value, at)
        if isinstance(value, list):
            for index, each in enumerate(value):
                yield from self._faults(shape.get("items", {}), each, f"{at}[{index}]")
        elif isinstance(value, dict):
            yield from self._object(shape, value, at)

    def _bounds(self, shape: Schema, value: Any, at: str) -> Iterator[str]:
        size = len(value) if isinstance(value, str | list) else value
        names = ("minLength", "maxLength") if isinstance(value, str) else ("minimum", "maximum")
        if isinstance(value, dict | bool):
            return
        if names[0] in shape and size < shape[names[0]]:
            yield f"{at}: {value!r} is below {names[0]} {shape[names[0]]}"
        if names[1] in shape and size > shape[names[1]]:
            yield f"{at}: {value!r} is above {names[1]} {shape[names[1]]}"

    def _object(self, shape: Schema, value: Mapping[str, Any], at: str) -> Iterator[str]:
        known = {name.lower(): each for name, each in shape.get("properties", {}).items()}
        more = shape.get("additionalProperties")
        for name, each in value.items():
            where = f"{at}.{name}" if at else name
            if name.lower() in known:
                yield from self._faults(known[name.lower()], each, where)
            elif isinstance(more, Mapping):
                yield from self._faults(more, each, where)
            elif known:
                yield f"{where}: is no property that may be sent"
        given = {name.lower() for name, each in value.items() if each is not None}
        yield from (
            f"{at}.{name}: is missing".removeprefix(".")
            for name in shape.get("required", ())
            if name.lower() not in given
        )

    def _variant(self, shape: Schema, value: Any, at: str) -> Iterator[str]:
        merged: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
        for part in shape["allOf"]:
            own = self._resolved(part)
            if "oneOf" in own:
                own = self._branch(own["oneOf"], value)
                if own is None:
                    yield f"{at}: names no known variant"
                    return
            merged["properties"] = {**merged["properties"], **own.get("properties", {})}
            merged["required"] = [*merged["required"], *own.get("required", ())]
            if isinstance(own.get("additionalProperties"), Mapping):
                merged["additionalProperties"] = own["additionalProperties"]
        yield from self._plain(merged, value, at)

    def _branch(self, options: list[Schema], value: Any) -> Schema | None:
        """The properties of the branch whose constants the value has."""
        for option in options:
            parts = [self._resolved(part) for part in option.get("allOf", [option])]
            constants = {
                name: each["const"]
                for part in parts
                for name, each in part.get("properties", {}).items()
                if "const" in each
            }
            if not isinstance(value, dict) or not constants:
                continue
            if not all(same(value.get(name), word) for name, word in constants.items()):
                continue
            properties: dict[str, Any] = {}
            for part in parts:
                own = self._flattened(part, value)
                properties |= {name: each for name, each in own.items() if "const" not in each}
            return {"properties": properties, "required": [x for part in parts for x in part.get("required", ())]}
        return None

    def _flattened(self, part: Schema, value: Any) -> Mapping[str, Any]:
        if "allOf" not in part:
            return part.get("properties", {})
        found: dict[str, Any] = {}
        for each in part["allOf"]:
            own = self._resolved(each)
            chosen = self._branch(own["oneOf"], value) if "oneOf" in own else own
            found |= (chosen or {}).get("properties", {})
        return found


@cache
def arm(path: Path, numbers: frozenset[str]) -> Arm:
    """The schemas in a file, read once."""
    return Arm(path, numbers)
