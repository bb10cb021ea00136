"""OpenAPI 2.0 documents, for the two versions of the API that bicep lacks."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from contract_tests.azure.words import named, of_type, same

Schema = Mapping[str, Any]
_RESOURCE = {name: {"type": "string"} for name in ("id", "name", "type")} | {"systemData": {"type": "object"}}
_TRACKED = {"location": {"type": "string"}, "tags": {"type": "object", "additionalProperties": {"type": "string"}}}
COMMON: Mapping[str, Schema] = {
    "Resource": {"type": "object", "properties": _RESOURCE},
    "TrackedResource": {"type": "object", "properties": _RESOURCE | _TRACKED, "required": ["location"]},
}
"""Of the documents that these refer to, and that do not come with them; any value fits the others."""


class Swagger:
    """The definitions and paths of one version, from all its documents."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._definitions: dict[str, Any] = {}
        self._paths: dict[str, Any] = {}
        for path in paths:
            document = json.loads(path.read_bytes())
            self._definitions |= document["definitions"]
            self._paths |= document["paths"]
        self._heirs: dict[str, list[tuple[str, str]]] = {}
        for name, each in self._definitions.items():
            for parent in each.get("allOf", ()):
                if "$ref" in parent:
                    word = each.get("x-ms-discriminator-value", name)
                    self._heirs.setdefault(parent["$ref"].rpartition("/")[2], []).append((word, name))

    def numbers(self) -> Iterator[str]:
        """Names of properties that are numbers, which the other schemas call integers."""
        todo: list[Any] = [self._definitions]
        while todo:
            each = todo.pop()
            if isinstance(each, dict):
                properties = each.get("properties")
                if isinstance(properties, dict):
                    yield from (
                        x.lower() for x, of in properties.items() if isinstance(of, dict) and of.get("type") == "number"
                    )
                todo.extend(each.values())

    def answer(self, kind: str, method: str, action: str, status: int, value: Any) -> Iterator[str]:
        """What is wrong with an answer about a resource of a kind, or about all of one kind where `action` is `*`."""
        for path, methods in self._paths.items():
            if not same(_kind(path), f"{kind}|{action}") or method.lower() not in methods:
                continue
            shape = methods[method.lower()]["responses"].get(str(status), {}).get("schema")
            if shape:
                yield from self._faults(shape, value, "")
            return

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            known = self._definitions if name in self._definitions else COMMON
            schema = {**known.get(name, {}), "x-name": name}
        return schema

    def _faults(self, schema: Schema, value: Any, at: str) -> Iterator[str]:
        if value is None:
            return
        shape = self._resolved(schema)
        if "discriminator" in shape and isinstance(value, dict):
            heir = self._heir(shape, value)
            if heir is None:
                yield f"{at}.{shape['discriminator']}: {value.get(shape['discriminator'])!r} names no known variant"
                return
            shape = heir
        if shape.get("type") and not of_type(value, shape["type"]):
            yield f"{at}: {named(value)} {value!r} where {shape['type']} is expected"
            return
        words = shape.get("enum")
        if words and not shape.get("x-ms-enum", {}).get("modelAsString") and not any(same(value, x) for x in words):
            yield f"{at}: {value!r} is none of {', '.join(words)}"
        if isinstance(value, list):
            for index, each in enumerate(value):
                yield from self._faults(shape.get("items", {}), each, f"{at}[{index}]")
        elif isinstance(value, dict):
            yield from self._object(shape, value, at)

    def _object(self, shape: Schema, value: Mapping[str, Any], at: str) -> Iterator[str]:
        properties, required = self._members(shape)
        known = {name.lower(): each for name, each in properties.items()}
        more = shape.get("additionalProperties")
        for name, each in value.items():
            where = f"{at}.{name}" if at else name
            if name.lower() in known:
                yield from self._faults(known[name.lower()], each, where)
            elif isinstance(more, Mapping):
                yield from self._faults(more, each, where)
            elif known:
                yield f"{where}: is no property of {shape.get('x-name', 'this')}"
        given = {name.lower() for name, each in value.items() if each is not None}
        yield from (f"{at}.{name}: is missing".removeprefix(".") for name in required if name.lower() not in given)

    def _members(self, shape: Schema) -> tuple[dict[str, Any], set[str]]:
        properties: dict[str, Any] = {}
        required = set(shape.get("required", ()))
        for parent in shape.get("allOf", ()):
            more, needed = self._members(self._resolved(parent))
            properties |= more
            required |= needed
        return properties | shape.get("properties", {}), required

    def _heir(self, shape: Schema, value: Mapping[str, Any]) -> Schema | None:
        word = next((each for name, each in value.items() if same(name, shape["discriminator"])), None)
        if same(word, shape.get("x-ms-discriminator-value", shape.get("x-name"))):
            return shape
        todo = list(self._heirs.get(shape.get("x-name", ""), ()))
        while todo:
            written, name = todo.pop()
            if same(written, word):
                return {**self._definitions[name], "x-name": name}
            todo.extend(self._heirs.get(name, ()))
        return None


def _kind(path: str) -> str:
    """`workspaces/jobs|cancel` of a path with braces; `|*` for a list, and nothing after the bar for a resource."""
    segments = path.partition("/providers/Microsoft.MachineLearningServices/")[2].split("/")
    names = [each for each in segments if not each.startswith("{")]
    if len(segments) % 2 == 0:
        return "/".join(names) + "|"
    return "/".join(names[:-1]) + "|" + names[-1] if segments[-2:-1] and len(names) > 1 else "|"


@cache
def swagger(paths: tuple[Path, ...]) -> Swagger:
    """The documents of a version, read once."""
    return Swagger(paths)
