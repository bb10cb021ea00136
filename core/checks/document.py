"""Read an endpoint's own document, Swagger 2.0 or OpenAPI 3.x, into the columns, forms and classes that it promises."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.checks.registry import Violation
from core.domain.data import ColumnKind
from core.domain.signature import Column, Scalar, Signature

OPERATION = "RunMLService"
REF_DEPTH_MAX = 20
NO_RANGE = (0.0, 100.0)
"""Where the document tells no observed range, numbers are drawn from here."""
METHOD_HOLDERS = {"v1": (), "v2": ("GlobalParameters",), "mlflow": ("params",)}

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Described:
    """What the document promises about scoring."""

    document: Json
    score_path: str
    forms: tuple[str, ...]
    """The request forms it allows, out of v1, v2 and mlflow; the first is the one it shows."""
    signature: Signature
    """Columns as far as the document tells them; no classes where `x-classes` is absent."""
    methods: tuple[str, ...]
    statuses: frozenset[str]
    secured: bool
    strict: bool
    """Unknown columns are forbidden."""
    legacy_reply: bool
    """The reply is JSON inside a JSON string, as old AutoML services answered."""
    error_fields: frozenset[str]
    """The properties of the error body."""
    empty_allowed: bool
    max_rows: int | None

    @property
    def primary_form(self) -> str:
        return self.forms[0]


def describe(document: Json) -> Described:
    """The promises of a document. Raises Violation when it describes no scoring operation."""
    path, operation = _operation(document)
    body, examples = _body(document, operation)
    shapes = {form: shape for shape in _alternatives(document, body) for form in _forms_of(shape)}
    if not shapes:
        raise Violation(f"The document's {OPERATION} takes no body with data, Inputs or input_data")
    form, shape = next(iter(shapes.items()))
    table = _row_array(document, shapes)
    row = _flat(document, table.get("items", {}))
    examples = [*examples, *_examples(shape), *_examples(body)]
    return Described(
        document=document,
        score_path=path,
        forms=tuple(shapes),
        signature=_signature(document, operation, row, _example_row(examples)),
        methods=_methods(document, form, shape),
        statuses=frozenset(map(str, operation.get("responses", {}))),
        secured=bool(operation.get("security", document.get("security"))),
        strict=row.get("additionalProperties") is False,
        legacy_reply=any(reply.get("type") == "string" for reply in _replies(document, operation)),
        error_fields=_error_fields(document, operation),
        empty_allowed=not table.get("minItems"),
        max_rows=table.get("maxItems"),
    )


def _operation(document: Json) -> tuple[str, Json]:
    posts = [(path, item["post"]) for path, item in document.get("paths", {}).items() if "post" in item]
    for path, post in posts:
        if post.get("operationId") == OPERATION or path == "/score":
            return path, post
    raise Violation(f"The document has no POST operation {OPERATION}; it has {[path for path, _ in posts]}")


def _body(document: Json, operation: Json) -> tuple[Json, list[Any]]:
    """The schema of the request body, and the examples beside it."""
    if "requestBody" in operation:
        content = _flat(document, operation["requestBody"]).get("content", {}).get("application/json", {})
        return content.get("schema", {}), _examples(content)
    for parameter in operation.get("parameters", ()):
        if (found := _flat(document, parameter)).get("in") == "body":
            return found.get("schema", {}), []
    return {}, []


def _reply(document: Json, operation: Json, status: str) -> Json:
    responses = operation.get("responses", {})
    response = _flat(document, responses.get(status, responses.get("default", {})))
    schema: Json = response.get("schema") or response.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _replies(document: Json, operation: Json) -> Iterator[dict[str, Any]]:
    yield from _alternatives(document, _reply(document, operation, "200"))


def _flat(document: Json, schema: Any, depth: int = 0) -> dict[str, Any]:
    """The schema with references followed, `allOf` merged, and nullability gathered under `nullable`."""
    if depth > REF_DEPTH_MAX or not isinstance(schema, Mapping):
        return {}
    if "$ref" in schema:
        return _flat(document, _pointed(document, str(schema["$ref"])), depth + 1)
    flat = dict(schema)
    for part in flat.pop("allOf", ()):
        flat = _flat(document, part, depth + 1) | flat
    for word in ("anyOf", "oneOf"):
        options = [_flat(document, option, depth + 1) for option in flat.get(word, ())]
        solid = [option for option in options if option.get("type") != "null"]
        if len(solid) == 1 and len(options) == 2:
            del flat[word]
            flat = solid[0] | flat | {"nullable": True}
    if isinstance(flat.get("type"), list):
        types = [name for name in flat["type"] if name != "null"]
        flat["nullable"] = len(types) < len(flat["type"]) or flat.get("nullable", False)
        flat["type"] = types[0] if len(types) == 1 else None
    flat["nullable"] = bool(flat.get("nullable") or flat.get("x-nullable"))
    return flat


def _pointed(document: Json, reference: str) -> Any:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, Mapping) or key not in found:
            raise Violation(f"The document refers to {reference}, which it does not hold")
        found = found[key]
    return found


def _alternatives(document: Json, schema: Any) -> Iterator[dict[str, Any]]:
    flat = _flat(document, schema)
    options = flat.get("oneOf") or flat.get("anyOf")
    if not options:
        yield flat
        return
    for option in options:
        yield from _alternatives(document, option)


def _forms_of(shape: Json) -> Iterator[str]:
    names = {"data": "v1", "Inputs": "v2", "input_data": "mlflow"}
    yield from (names[name] for name in shape.get("properties", {}) if name in names)


def _row_array(document: Json, shapes: Mapping[str, Json]) -> dict[str, Any]:
    """The schema of the array of rows, from a form whose rows are records."""
    if "v1" in shapes:
        return _flat(document, shapes["v1"]["properties"]["data"])
    if "v2" in shapes:
        inputs = _flat(document, shapes["v2"]["properties"]["Inputs"])
        return _flat(document, inputs.get("properties", {}).get("data", {}))
    return {}


def _methods(document: Json, form: str, shape: Json) -> tuple[str, ...]:
    node: Json = shape
    for step in METHOD_HOLDERS[form]:
        node = _flat(document, node.get("properties", {}).get(step, {}))
    method = _flat(document, node.get("properties", {}).get("method", {}))
    if not method.get("type"):
        return ()
    # Azure's documents say only that the method is a string; its services know these two.
    return tuple(method.get("enum", ("predict", "predict_proba")))


def _examples(node: Json) -> list[Any]:
    found = [node["example"]] if "example" in node else []
    several = node.get("examples", ())
    if isinstance(several, Mapping):
        return found + [example.get("value") for example in several.values() if isinstance(example, Mapping)]
    return found + list(several)


def _example_row(examples: list[Any]) -> Json:
    for example in examples:
        inner = example.get("Inputs", example) if isinstance(example, Mapping) else {}
        rows = inner.get("data") if isinstance(inner, Mapping) else None
        if isinstance(rows, list) and rows and isinstance(rows[0], Mapping):
            return rows[0]
    return {}


def _signature(document: Json, operation: Json, row: Json, example: Json) -> Signature:
    required = row.get("required", ())
    columns = tuple(
        _column(name, _flat(document, schema), name in required, example.get(name))
        for name, schema in row.get("properties", {}).items()
    )
    return Signature(
        columns=columns,
        target="",
        classes=tuple(operation.get("x-classes", ())),
        positive_class=operation.get("x-positive-class"),
        threshold=operation.get("x-threshold"),
    )


def _column(name: str, schema: Json, required: bool, example: Scalar | None) -> Column:
    """A column of no single scalar type that may be left out is one that the model ignores."""
    scalar = schema.get("type") in set(ColumnKind)
    kind = ColumnKind(schema["type"]) if scalar else ColumnKind.STRING
    levels = tuple(level for level in schema.get("enum", ()) if isinstance(level, str))
    low, high = _range(schema) if kind in (ColumnKind.INTEGER, ColumnKind.NUMBER) else (None, None)
    typical = example if example is not None else next(iter(_examples(schema)), None)
    return Column(
        name=name,
        kind=kind,
        nullable=schema.get("nullable", False),
        levels=levels,
        closed=bool(levels),
        typical=typical,
        low=low,
        high=high,
        used=scalar or required,
    )


def _range(schema: Json) -> tuple[float, float]:
    observed = schema.get("x-observed", {})
    low, high = observed.get("low", NO_RANGE[0]), observed.get("high", NO_RANGE[1])
    return low, max(low, high)


def _error_fields(document: Json, operation: Json) -> frozenset[str]:
    refusals = [status for status in operation.get("responses", {}) if str(status).startswith("4")] or ["default"]
    shapes = (_flat(document, _reply(document, operation, status)) for status in refusals)
    return frozenset(name for shape in shapes for name in shape.get("properties", {}))
