"""JSON Schema as OpenAPI writes it: references, alternatives, nullability and examples in every notation."""

from collections.abc import Iterator, Mapping
from typing import Any

from core.checks.outcome import Violation

Json = Mapping[str, Any]


def flat(document: Json, schema: Any) -> dict[str, Any]:
    """The schema with references followed, `allOf` merged, and nullability gathered under `nullable`.

    Raises Violation where a reference leads nowhere, or to itself and nothing else.
    """
    found, _ = _flat(document, schema, frozenset())
    return found


def _flat(document: Json, schema: Any, within: frozenset[str]) -> tuple[dict[str, Any], frozenset[str]]:
    """The schema, and the references that were followed: a part that leads back to one of them says nothing new."""
    schema, followed = resolved(document, schema)
    if followed & within or not isinstance(schema, Mapping):
        return {}, within
    within |= followed
    found = dict(schema)
    for part in found.pop("allOf", ()):
        merged, within = _flat(document, part, within)
        found = _both(merged, found)
    for word in ("anyOf", "oneOf"):
        options = [_flat(document, option, within) for option in found.get(word, ())]
        solid = [option for option in options if option[0].get("type") != "null"]
        if len(solid) == 1 and len(options) == 2:
            del found[word]
            merged, within = solid[0]
            found = merged | found | {"nullable": True}
    if isinstance(found.get("type"), list):
        types = [name for name in found["type"] if name != "null"]
        found["nullable"] = len(types) < len(found["type"]) or found.get("nullable", False)
        found["type"] = types[0] if len(types) == 1 else None
    found["nullable"] = bool(found.get("nullable") or found.get("x-nullable"))
    return found, within


def _both(some: Json, more: Json) -> dict[str, Any]:
    """Two schemas that hold at once; where they name the same word, all their columns count and else `more`'s."""
    merged = {**some, **more}
    if "properties" in some and "properties" in more:
        merged["properties"] = {**some["properties"], **more["properties"]}
    if "required" in some and "required" in more:
        merged["required"] = list(dict.fromkeys([*some["required"], *more["required"]]))
    return merged


def resolved(document: Json, node: Any) -> tuple[Any, frozenset[str]]:
    """The very object that a chain of references leads to, and these references. Raises Violation for a circle."""
    followed: list[str] = []
    while isinstance(node, Mapping) and "$ref" in node:
        followed.append(str(node["$ref"]))
        if followed[-1] in followed[:-1]:
            raise Violation(f"The document's {followed[-1]} refers to nothing but itself")
        node = pointed(document, followed[-1])
    return node, frozenset(followed)


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
    """The schemas of which one must hold: the branches of `oneOf` and `anyOf`, each once, or the schema alone."""
    yield from _alternatives(document, schema, set())


def _alternatives(document: Json, schema: Any, seen: set[int]) -> Iterator[dict[str, Any]]:
    found = flat(document, schema)
    options = found.get("oneOf") or found.get("anyOf")
    if not options:
        yield found
        return
    for option in options:
        node, _ = resolved(document, option)
        if id(node) not in seen:  # a schema may be a branch of itself: a list of lists, a tree
            seen.add(id(node))
            yield from _alternatives(document, node, seen)


def examples(node: Json) -> list[Any]:
    """The examples beside or within a schema, in every notation."""
    shown = [node["example"]] if "example" in node else []
    several = node.get("examples", ())
    if isinstance(several, Mapping):
        return shown + [example.get("value") for example in several.values() if isinstance(example, Mapping)]
    return shown + list(several)
