"""JSON Schema as OpenAPI writes it: references, alternatives, nullability and examples in every notation."""

from collections.abc import Iterator, Mapping
from typing import Any

from core.checks.registry import Violation

REF_DEPTH_MAX = 20

Json = Mapping[str, Any]


def flat(document: Json, schema: Any, depth: int = 0) -> dict[str, Any]:
    """The schema with references followed, `allOf` merged, and nullability gathered under `nullable`."""
    if depth > REF_DEPTH_MAX or not isinstance(schema, Mapping):
        return {}
    if "$ref" in schema:
        return flat(document, pointed(document, str(schema["$ref"])), depth + 1)
    found = dict(schema)
    for part in found.pop("allOf", ()):
        found = flat(document, part, depth + 1) | found
    for word in ("anyOf", "oneOf"):
        options = [flat(document, option, depth + 1) for option in found.get(word, ())]
        solid = [option for option in options if option.get("type") != "null"]
        if len(solid) == 1 and len(options) == 2:
            del found[word]
            found = solid[0] | found | {"nullable": True}
    if isinstance(found.get("type"), list):
        types = [name for name in found["type"] if name != "null"]
        found["nullable"] = len(types) < len(found["type"]) or found.get("nullable", False)
        found["type"] = types[0] if len(types) == 1 else None
    found["nullable"] = bool(found.get("nullable") or found.get("x-nullable"))
    return found


def pointed(document: Json, reference: str) -> Any:
    """What a reference within the document points at. Raises Violation when it points at nothing."""
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, Mapping) or key not in found:
            raise Violation(f"The document refers to {reference}, which it does not hold")
        found = found[key]
    return found


def alternatives(document: Json, schema: Any) -> Iterator[dict[str, Any]]:
    """The schemas of which one must hold: the branches of `oneOf` and `anyOf`, or the schema alone."""
    found = flat(document, schema)
    options = found.get("oneOf") or found.get("anyOf")
    if not options:
        yield found
        return
    for option in options:
        yield from alternatives(document, option)


def examples(node: Json) -> list[Any]:
    """The examples beside or within a schema, in every notation."""
    shown = [node["example"]] if "example" in node else []
    several = node.get("examples", ())
    if isinstance(several, Mapping):
        return shown + [example.get("value") for example in several.values() if isinstance(example, Mapping)]
    return shown + list(several)
