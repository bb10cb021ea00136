"""A document that says little, made to say more: a schema file is judged as if the endpoint had published it."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from core.checks.document.description import USUAL_PATH, scoring_operation
from core.checks.document.forms import KNOWN
from core.checks.document.schema import Json, resolved
from core.domain.errors import SpecInvalid

TOLD = ("x-classes", "x-positive-class", "x-threshold", "x-costs")
"""What a schema file may say of the scoring operation."""
VERSION_WORDS = ("openapi", "swagger")


def is_document(schema: Json) -> bool:
    """Whether a schema file is a whole OpenAPI document, which then stands in for the endpoint's own."""
    return any(word in schema for word in VERSION_WORDS)


def with_schema(document: Json, schema: Json, path: str = USUAL_PATH) -> dict[str, Any]:
    """The document with what `schema`, the JSON Schema of one row, says besides.

    Raises SpecInvalid when the schema names no columns or the document has no place for them, Violation when the
    document has no scoring operation.
    """
    columns = schema.get("properties")
    if not isinstance(columns, Mapping) or not all(isinstance(column, Mapping) for column in columns.values()):
        hint = (
            'For example {"properties": {"job": {"enum": ["nurse", "pilot"]}, "age": {"minimum": 18, "maximum": 90}}}'
        )
        raise SpecInvalid(
            "A schema file is an OpenAPI document, or a JSON Schema of one row with its properties", hint=hint
        )
    made = dict(deepcopy(document))
    _, operation = scoring_operation(made, path)
    rows = list(_rows(made, operation))
    if not rows:
        raise SpecInvalid("The document has no array of records for the schema to describe")
    for row in rows:
        _describe(made, row, schema)
    assert isinstance(operation, dict)  # json.loads made it
    operation.update({name: schema[name] for name in TOLD if name in schema})
    return made


def _describe(document: Json, row: dict[str, Any], schema: Json) -> None:
    known = row.setdefault("properties", {})
    for name, column in schema["properties"].items():
        known[name] = {**_real(document, known.get(name, {})), **_dialect(document, column)}
    if "required" in schema:
        row["required"] = sorted({*row.get("required", ()), *schema["required"]})
    if "additionalProperties" in schema:
        row["additionalProperties"] = schema["additionalProperties"]


def _dialect(document: Json, column: Json) -> dict[str, Any]:
    """The column as the document's version writes it: before 3.1 there is no list of types."""
    types = column.get("type")
    if not isinstance(types, list) or str(document.get("openapi", "")).startswith("3.1"):
        return dict(column)
    single = next((name for name in types if name != "null"), "string")
    return {**column, "type": single, "nullable" if "openapi" in document else "x-nullable": "null" in types}


def _rows(document: Json, operation: Json) -> Iterator[dict[str, Any]]:
    """The schemas of one row within the scoring operation's body, in place."""
    for body in _bodies(document, operation):
        for branch in _branches(document, body):
            if _lists_objects(document, branch):
                yield _real(document, branch["items"])
            for name, node in branch.get("properties", {}).items():
                if name in KNOWN and name != "input_data":
                    rows = _real(document, node)
                    if name == "Inputs":
                        rows = _real(document, rows.get("properties", {}).get("data", {}))
                    yield _real(document, rows.setdefault("items", {"type": "object"}))
                elif name not in KNOWN and _lists_objects(document, _real(document, node)):
                    yield _real(document, _real(document, node)["items"])


def _lists_objects(document: Json, schema: Json) -> bool:
    return schema.get("type") == "array" and _real(document, schema.get("items", {})).get("type") == "object"


def _bodies(document: Json, operation: Json) -> Iterator[dict[str, Any]]:
    content = _real(document, operation.get("requestBody", {})).get("content", {})
    for media in content.values():
        yield media.get("schema", {})
    for parameter in operation.get("parameters", ()):
        if (found := _real(document, parameter)).get("in") == "body":
            yield found.get("schema", {})


def _branches(document: Json, schema: Json, seen: frozenset[int] = frozenset()) -> Iterator[dict[str, Any]]:
    node = _real(document, schema)
    if id(node) in seen:  # a schema may be a branch of itself
        return
    yield node
    for word in ("oneOf", "anyOf", "allOf"):
        for branch in node.get(word, ()):
            yield from _branches(document, branch, seen | {id(node)})


def _real(document: Json, node: Any) -> dict[str, Any]:
    """The very object that a reference leads to."""
    found, _ = resolved(document, node)
    return found if isinstance(found, dict) else {}
