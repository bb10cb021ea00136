"""Read an endpoint's own document, Swagger 2.0 or OpenAPI 3.x, into the columns, forms and classes that it promises."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.checks.document.columns import Declared, Domain, columns_of, declared_of, domains_of
from core.checks.document.drawing import Drawing
from core.checks.document.forms import LISTED, ONE, beside, example_row, methods, shapes, table, written
from core.checks.document.home import SOMEWHERE, Home, home
from core.checks.document.replies import Keys, reply_keys
from core.checks.document.schema import Json, alternatives, examples, flat
from core.checks.document.security import BEARER, Scheme, secured_by
from core.checks.outcome import Violation
from core.domain.errors import NoVerdict
from core.domain.signature import Scalar, Signature

OPERATION = "RunMLService"
USUAL_PATH = "/score"
SCORING = re.compile(r"(?i)score|scoring|predict|infer|invoc|classif|regress|estimat|forecast")
"""What an operation that scores is called."""


@dataclass(frozen=True, slots=True)
class Described:
    """What the document promises about scoring."""

    document: Json
    home: Home
    """Where its paths begin."""
    score_path: str
    forms: tuple[str, ...]
    """The request forms it allows; the first is the one it shows."""
    beside: Mapping[str, Mapping[str, Any]]
    """Form -> what its body must hold besides the rows."""
    signature: Signature
    """Columns as far as the document tells them; no classes where `x-classes` is absent."""
    required: frozenset[str]
    """The columns that no row may lack."""
    declared: Mapping[str, Declared]
    """Numeric column -> its declared range."""
    domains: Mapping[str, Domain]
    """Numeric column -> where its values lie."""
    methods: tuple[str, ...]
    reply_keys: Mapping[str, Keys | None]
    """Form -> the lists of the reply that hold the answers, None where it does not tell; see `replies.reply_keys`."""
    shown_replies: tuple[Any, ...]
    """The examples of replies with 200."""
    statuses: frozenset[str]
    schemes: tuple[Scheme, ...]
    """By what it asks for a key, none where it does not; the first is used."""
    strict: bool
    """Unknown columns are forbidden."""
    legacy_reply: bool
    """The reply is JSON inside a JSON string, as old AutoML services answered."""
    errors: Mapping[str, frozenset[str]]
    """Status of a refusal (or `default`) -> the properties that its JSON body has."""
    required_headers: Mapping[str, tuple[str, ...]]
    """Status (or `default`) -> the headers that its answers must have."""
    empty_allowed: bool
    max_rows: int | None

    @property
    def primary_form(self) -> str:
        return self.forms[0]

    @property
    def operations(self) -> frozenset[str]:
        """The methods that the document lists for the scoring path."""
        return frozenset(word.upper() for word in self.document["paths"][self.score_path])

    def declared_as(self, status: int) -> str:
        """The word under which the document describes an answer with this status; empty where it does not."""
        words = (str(status), f"{status // 100}XX", f"{status // 100}xx", "default")
        return next((word for word in words if word in self.statuses), "")

    @property
    def secured(self) -> bool:
        """It asks for a key."""
        return bool(self.schemes)

    @property
    def scheme(self) -> Scheme:
        """How a key is sent."""
        return self.schemes[0] if self.schemes else BEARER

    @property
    def one_row(self) -> bool:
        """A request scores a single row."""
        return self.primary_form == ONE

    def body(self, rows: Sequence[Mapping[str, Any]], method: str | None = None, form: str = "") -> bytes:
        """A request body with these rows in this form, by default the primary one."""
        form = form or self.primary_form
        return written(rows, form, method, self.beside[form])

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

    @property
    def drawing(self) -> Drawing:
        """What rows are drawn from."""
        drawn = self.drawn
        left_out = [column.name for column in drawn.used if column.name not in self.required] if self.strict else []
        return Drawing(drawn, self.domains, tuple(left_out) if "mlflow" not in self.forms else ())


def describe(document: Json, root: str = "", at: str = SOMEWHERE, path: str = USUAL_PATH) -> Described:
    """The promises of a document that came from `at`, of the server whose root is at the path `root`.

    `path` is where it is said to score.

    Raises Violation when it describes no scoring operation, NoVerdict when one whose body holds no rows that it tells.
    """
    path, operation = scoring_operation(document, path)
    body, shown = _body(document, operation)
    found = shapes(document, body)
    if not found:
        raise undescribed(document, {path: operation})
    form, shape = next(iter(found.items()))
    rows = table(document, found)
    row = flat(document, rows.get("items", {}))
    example = example_row(document, form, shape, [*shown, *examples(shape), *examples(body)])
    replies = list(alternatives(document, _reply(document, operation, "200")))
    return Described(
        document=document,
        home=home(document, path, at, root.rstrip("/")),
        score_path=path,
        forms=tuple(found),
        beside={form: beside(document, form, shape) for form, shape in found.items()},
        signature=_signature(document, operation, row, example),
        required=frozenset(row.get("required", ())),
        declared=declared_of(document, row),
        domains=domains_of(document, row, example),
        methods=methods(document, form, shape),
        reply_keys={form: reply_keys(document, form, replies) for form in found},
        shown_replies=tuple(_shown_replies(document, operation, replies)),
        statuses=frozenset(map(str, operation.get("responses", {}))),
        schemes=secured_by(document, operation),
        strict=row.get("additionalProperties") is False,
        legacy_reply=any(reply.get("type") == "string" for reply in replies),
        errors=_errors(document, operation),
        required_headers=_required_headers(document, operation),
        empty_allowed=not rows.get("minItems"),
        max_rows=rows.get("maxItems"),
    )


def scoring_operation(document: Json, said: str = USUAL_PATH) -> tuple[str, Json]:
    """The path and POST operation that scores: `RunMLService`, else `/score`, else the one that takes rows.

    Another path that is `said` to score comes before all of them, where the document has it. Of several that take
    rows, the one that takes most: a list of rows before a single one, then the one that is called so.
    """
    paths = document.get("paths")
    posts = {
        path: item["post"] for path, item in (paths.items() if isinstance(paths, Mapping) else ()) if "post" in item
    }
    if said != USUAL_PATH and said in posts:
        return said, posts[said]
    for path, post in posts.items():
        if post.get("operationId") == OPERATION:
            return path, post
    if USUAL_PATH in posts:
        return USUAL_PATH, posts[USUAL_PATH]
    taking = {path: forms for path, post in posts.items() if (forms := shapes(document, _body(document, post)[0]))}
    taking = {path: forms for path, forms in taking.items() if ONE not in forms or SCORING.search(path)}
    if not posts:
        raise Violation("The document has no POST operation, so nothing can be scored")
    if not taking:
        raise undescribed(document, posts)
    path = min(taking, key=lambda path: (ONE in taking[path], LISTED in taking[path], not SCORING.search(path)))
    return path, posts[path]


def body_schema(document: Json, path: str) -> Json:
    """The schema of the body that the operation which scores takes."""
    return _body(document, document["paths"][path]["post"])[0]


def reply_schema(document: Json, path: str) -> Json:
    """The schema of the reply to a request that is scored; empty where the document tells none."""
    return _reply(document, document["paths"][path]["post"], "200")


def undescribed(document: Json, posts: Mapping[str, Json]) -> NoVerdict:
    """Why nothing can be sent to these operations: that breaks no promise, and proves none."""
    bodies = [body for post in posts.values() for body in alternatives(document, _body(document, post)[0])]
    if any(_tensors(document, body) for body in bodies):
        what = "takes tensors (name, shape, datatype, data: the Open Inference Protocol), which Slipway does not check"
        return NoVerdict(f"POST {', '.join(posts)} {what}")
    what = f"POST {', '.join(posts)} has no body with rows of named columns"
    hint = "A whole document that says so can be given with --schema"
    return NoVerdict(f"The document does not say what rows look like: {what}", hint=hint)


def _tensors(document: Json, body: Json) -> bool:
    inputs = flat(document, body.get("properties", {}).get("inputs", {}))
    properties: Json = flat(document, inputs.get("items", {})).get("properties", {})
    return {"shape", "datatype"} <= properties.keys()


def _body(document: Json, operation: Json) -> tuple[Json, list[Any]]:
    """The schema of the request body, and the examples beside it."""
    if "requestBody" in operation:
        content = flat(document, operation["requestBody"]).get("content", {})
        content = json_media(content)
        return content.get("schema", {}), examples(content)
    for parameter in operation.get("parameters", ()):
        if (found := flat(document, parameter)).get("in") == "body":
            return found.get("schema", {}), []
    return {}, []


def json_media(content: Json) -> Json:
    """The part of a `content` that is about JSON, with or without parameters."""
    found: Json = next((media for name, media in content.items() if _JSON.match(name)), {})
    return found


_JSON = re.compile(r"(?i)application/([\w.-]+\+)?json\b|\*/\*")


def _reply(document: Json, operation: Json, status: str) -> Json:
    responses = operation.get("responses", {})
    response = flat(document, responses.get(status, responses.get("default", {})))
    schema: Json = response.get("schema") or json_media(response.get("content", {})).get("schema", {})
    return schema


def _shown_replies(document: Json, operation: Json, replies: Sequence[Json]) -> Iterator[Any]:
    """The examples of a reply, wherever they stand: beside its schema, in it, or at the lists within it."""
    response = flat(document, operation.get("responses", {}).get("200", {}))
    if "swagger" in document and isinstance(response.get("examples"), Mapping):
        yield from response["examples"].values()
    yield from examples(json_media(response.get("content", {})))
    for reply in replies:
        yield from examples(reply)
        yield from ([shown] for shown in examples(flat(document, reply.get("items", {}))))
        for name, schema in reply.get("properties", {}).items():
            held = flat(document, schema)
            yield from ({name: shown} for shown in examples(held))
            yield from ({name: [shown]} for shown in examples(flat(document, held.get("items", {}))))


def _signature(document: Json, operation: Json, row: Json, shown: Mapping[str, Scalar]) -> Signature:
    return Signature(
        columns=columns_of(document, row, shown),
        target="",
        classes=tuple(operation.get("x-classes", ())),
        positive_class=operation.get("x-positive-class"),
        threshold=operation.get("x-threshold"),
        costs=_costs(operation),
    )


def _costs(operation: Json) -> tuple[tuple[float, ...], ...]:
    """What decisions cost, where the document has one number for each class and each decision."""
    rows, classes = operation.get("x-costs", ()), operation.get("x-classes", ())
    whole = isinstance(rows, list) and all(isinstance(row, list) and len(row) == len(classes) for row in rows)
    if not whole or len(rows) != len(classes) or not all(isinstance(cost, int | float) for row in rows for cost in row):
        return ()
    return tuple(tuple(map(float, row)) for row in rows)


def _required_headers(document: Json, operation: Json) -> dict[str, tuple[str, ...]]:
    """Swagger 2.0 has no word of its own for it; `x-required` is what is written there."""
    found: dict[str, tuple[str, ...]] = {}
    for status, response in operation.get("responses", {}).items():
        headers = {name: flat(document, header) for name, header in flat(document, response).get("headers", {}).items()}
        names = [name for name, header in headers.items() if header.get("required") or header.get("x-required")]
        # A response's Content-Type is told by its media types, and OpenAPI says to ignore it here.
        if names := [name for name in names if name.lower() != "content-type"]:
            found[str(status)] = tuple(names)
    return found


def _errors(document: Json, operation: Json) -> dict[str, frozenset[str]]:
    refusals = [status for status in map(str, operation.get("responses", {})) if status[0] in "4d"]
    shapes = {status: flat(document, _reply(document, operation, status)) for status in refusals}
    return {status: frozenset(shape.get("properties", {})) for status, shape in shapes.items()}
