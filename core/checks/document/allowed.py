"""Whether the document allows a body: what generated it may be mistaken, so that it is asked again before any blame."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.checks.document.description import Described, body_schema
from core.checks.document.schema import Json

if TYPE_CHECKING:
    import jsonschema_rs

NAMED = ("properties", "patternProperties", "definitions", "schemas", "$defs", "dependentSchemas")
"""Words under which stand schemas by names of their own choice: a column may be called `maxItems`."""
AS_IT_IS = ("example", "examples", "default", "enum", "const")
"""Words under which stands data."""
LISTS = ("oneOf", "anyOf", "allOf", "prefixItems")


class Bodies:
    """The bodies of a scoring request that a document allows."""

    def __init__(self, described: Described) -> None:
        self._described = described
        self._validator: jsonschema_rs.Validator | None = None

    def allowed(self, body: bytes) -> bool | None:
        """None where the body is not JSON."""
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            return None
        if self._validator is None:
            described = self._described
            self._validator = validator(described.document, body_schema(described.document, described.score_path))
        return self._validator.is_valid(value)


def validator(document: Json, schema: Json) -> "jsonschema_rs.Validator":
    """What judges by a schema of the document, whatever its version."""
    import jsonschema_rs

    newest = str(document.get("openapi", "")).startswith("3.1")
    places = {word: document[word] for word in ("components", "definitions") if word in document}
    whole = {"allOf": [schema], **places}
    return jsonschema_rs.Draft202012Validator(whole) if newest else jsonschema_rs.Draft4Validator(_plain(whole))


def _plain(schema: Json) -> dict[str, Any]:
    """A schema of Swagger 2.0 or OpenAPI 3.0 in the words of JSON Schema: null is a type there."""
    found = {word: _inner(word, value) for word, value in schema.items()}
    if schema.get("nullable") is True or schema.get("x-nullable") is True:
        return {"anyOf": [{"type": "null"}, found]}
    return found


def _inner(word: str, value: Any) -> Any:
    if word in NAMED and isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if word in LISTS and isinstance(value, list):
        return [_plain(each) for each in value]
    return _plain(value) if word not in AS_IT_IS and isinstance(value, Mapping) else value
