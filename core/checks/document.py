"""Read an endpoint's own document, Swagger 2.0 or OpenAPI 3.x, into the columns, forms and classes that it promises."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from core.checks.columns import Declared, columns_of, declared_of
from core.checks.registry import Violation
from core.checks.schema import Json, alternatives, examples, flat
from core.domain.signature import Scalar, Signature

OPERATION = "RunMLService"
FORMS = {
    "data": "v1",
    "Inputs": "v2",
    "input_data": "mlflow",
    "dataframe_records": "dataframe_records",
    "instances": "instances",
}
"""A body's telling key -> the form: Azure's three, that of `mlflow models serve`, and KServe's."""
REPLY_KEYS = {
    "v1": "result",
    "v2": "Results",
    "mlflow": "",
    "dataframe_records": "predictions",
    "instances": "predictions",
}
METHOD_HOLDERS = {"v1": (), "v2": ("GlobalParameters",)}
"""Where a form holds `method`; all others under `params`."""


@dataclass(frozen=True, slots=True)
class Described:
    """What the document promises about scoring."""

    document: Json
    prefix: str
    """The path below the server's root at which its paths begin: `basePath`, or the path of the first of `servers`."""
    score_path: str
    """With the prefix."""
    forms: tuple[str, ...]
    """The request forms it allows, out of v1, v2 and mlflow; the first is the one it shows."""
    signature: Signature
    """Columns as far as the document tells them; no classes where `x-classes` is absent."""
    required: frozenset[str]
    """The columns that no row may lack."""
    declared: Mapping[str, Declared]
    """Numeric column -> its declared range."""
    methods: tuple[str, ...]
    reply_keys: Mapping[str, str]
    """Form -> the key of the reply that holds the answers; empty where the reply is the list itself."""
    statuses: frozenset[str]
    secured: bool
    strict: bool
    """Unknown columns are forbidden."""
    legacy_reply: bool
    """The reply is JSON inside a JSON string, as old AutoML services answered."""
    errors: Mapping[str, frozenset[str]]
    """Status of a refusal (or `default`) -> the properties that its JSON body has."""
    empty_allowed: bool
    max_rows: int | None

    @property
    def primary_form(self) -> str:
        return self.forms[0]

    @property
    def error_fields(self) -> frozenset[str]:
        """The properties that any error body has."""
        return frozenset().union(*self.errors.values())

    @property
    def drawn(self) -> Signature:
        """The signature as rows are drawn from it: of a text whose examples are known, only those.

        Whether an endpoint takes other texts there is what its document leaves open.
        """
        columns = tuple(replace(column, closed=bool(column.levels)) for column in self.signature.columns)
        return replace(self.signature, columns=columns)


def describe(document: Json) -> Described:
    """The promises of a document. Raises Violation when it describes no scoring operation."""
    path, operation = scoring_operation(document)
    body, beside = _body(document, operation)
    shapes = _shapes(document, body)
    if not shapes:
        raise Violation(f"POST {path} takes no body with {', '.join(list(FORMS)[:-1])} or {list(FORMS)[-1]}")
    form, shape = next(iter(shapes.items()))
    table = _row_array(document, shapes)
    row = flat(document, table.get("items", {}))
    shown = _example_row([*beside, *examples(shape), *examples(body), *_inner_examples(document, shape)])
    replies = list(alternatives(document, _reply(document, operation, "200")))
    prefix = _prefix(document)
    return Described(
        document=document,
        prefix=prefix,
        score_path=prefix + path,
        forms=tuple(shapes),
        signature=_signature(document, operation, row, shown),
        required=frozenset(row.get("required", ())),
        declared=declared_of(document, row),
        methods=_methods(document, form, shape),
        reply_keys={form: _reply_key(document, form, replies) for form in shapes},
        statuses=frozenset(map(str, operation.get("responses", {}))),
        secured=bool(operation.get("security", document.get("security"))),
        strict=row.get("additionalProperties") is False,
        legacy_reply=any(reply.get("type") == "string" for reply in replies),
        errors=_errors(document, operation),
        empty_allowed=not table.get("minItems"),
        max_rows=table.get("maxItems"),
    )


def scoring_operation(document: Json) -> tuple[str, Json]:
    """The path and POST operation that scores: `RunMLService`, else `/score`, else the one that takes rows."""
    paths = document.get("paths")
    posts = {
        path: item["post"] for path, item in (paths.items() if isinstance(paths, Mapping) else ()) if "post" in item
    }
    for path, post in posts.items():
        if post.get("operationId") == OPERATION:
            return path, post
    if "/score" in posts:
        return "/score", posts["/score"]
    taking_rows = [path for path, post in posts.items() if _shapes(document, _body(document, post)[0])]
    if len(taking_rows) != 1:
        told = ", ".join(posts) or "no POST at all"
        raise Violation(
            f"The document has no POST operation {OPERATION}, and no other that alone takes rows; it has {told}"
        )
    return taking_rows[0], posts[taking_rows[0]]


def _prefix(document: Json) -> str:
    servers = document.get("servers") or [{}]
    told = document.get("basePath") or urlsplit(str(servers[0].get("url", ""))).path
    return str(told).rstrip("/")


def _shapes(document: Json, body: Json) -> dict[str, dict[str, Any]]:
    """Form -> the schema of a body in that form."""
    return {
        FORMS[name]: shape
        for shape in alternatives(document, body)
        for name in shape.get("properties", {})
        if name in FORMS
    }


def _body(document: Json, operation: Json) -> tuple[Json, list[Any]]:
    """The schema of the request body, and the examples beside it."""
    if "requestBody" in operation:
        content = flat(document, operation["requestBody"]).get("content", {}).get("application/json", {})
        return content.get("schema", {}), examples(content)
    for parameter in operation.get("parameters", ()):
        if (found := flat(document, parameter)).get("in") == "body":
            return found.get("schema", {}), []
    return {}, []


def _reply(document: Json, operation: Json, status: str) -> Json:
    responses = operation.get("responses", {})
    response = flat(document, responses.get(status, responses.get("default", {})))
    schema: Json = response.get("schema") or response.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _reply_key(document: Json, form: str, replies: list[dict[str, Any]]) -> str:
    """As the form is usually answered, unless the document knows only other replies."""
    usual = REPLY_KEYS[form]
    told = [reply for reply in replies if reply.get("type") == "array" or reply.get("properties")]
    encoded_twice = any(reply.get("type") == "string" for reply in replies)  # nothing is told of what is inside
    if not told or encoded_twice or any(_answers_under(reply, usual) for reply in told):
        return usual
    if any(reply.get("type") == "array" for reply in told):
        return ""
    lists = [name for name, schema in told[0]["properties"].items() if flat(document, schema).get("type") == "array"]
    return lists[0] if len(lists) == 1 else usual


def _answers_under(reply: Json, key: str) -> bool:
    return key in reply.get("properties", {}) if key else reply.get("type") == "array"


def _row_array(document: Json, shapes: Mapping[str, Json]) -> dict[str, Any]:
    """The schema of the array of rows, from a form whose rows are records."""
    for name, form in FORMS.items():
        if form in shapes and form != "mlflow":
            rows = flat(document, shapes[form]["properties"][name])
            return flat(document, rows.get("properties", {}).get("data", {})) if form == "v2" else rows
    return {}


def _methods(document: Json, form: str, shape: Json) -> tuple[str, ...]:
    node: Json = shape
    for step in METHOD_HOLDERS.get(form, ("params",)):
        node = flat(document, node.get("properties", {}).get(step, {}))
    method = flat(document, node.get("properties", {}).get("method", {}))
    if not method.get("type"):
        return ()
    # Azure's documents say only that the method is a string; its services know these two.
    return tuple(method.get("enum", ("predict", "predict_proba")))


def _inner_examples(document: Json, shape: Json) -> Iterator[Any]:
    """Bodies made of the examples that stand at the arrays of rows themselves."""
    for name in FORMS:
        rows = flat(document, shape.get("properties", {}).get(name, {}))
        yield from ({"data": shown} for shown in examples(rows))
        yield from ({"data": [shown]} for shown in examples(flat(document, rows.get("items", {}))))


def _example_row(shown: list[Any]) -> Json:
    """The first row of records in the examples of bodies; empty where there is none."""
    for example in shown:
        body = example if isinstance(example, Mapping) else {}
        inner = body.get("Inputs", body)
        for rows in (inner.get(name) for name in FORMS) if isinstance(inner, Mapping) else ():
            if isinstance(rows, list) and rows and isinstance(rows[0], Mapping):
                return rows[0]
    return {}


def _signature(document: Json, operation: Json, row: Json, shown: Mapping[str, Scalar]) -> Signature:
    return Signature(
        columns=columns_of(document, row, shown),
        target="",
        classes=tuple(operation.get("x-classes", ())),
        positive_class=operation.get("x-positive-class"),
        threshold=operation.get("x-threshold"),
    )


def _errors(document: Json, operation: Json) -> dict[str, frozenset[str]]:
    refusals = [status for status in map(str, operation.get("responses", {})) if status[0] in "4d"]
    shapes = {status: flat(document, _reply(document, operation, status)) for status in refusals}
    return {status: frozenset(shape.get("properties", {})) for status, shape in shapes.items()}
