"""Rows, answers and keys are found in documents of every style."""

import json
from typing import Any

import pytest

from contract_tests.foreign import Flats, Rain, Wines
from core.checks.document import forms, replies, security
from core.checks.document.description import describe
from core.checks.document.overlay import with_schema
from core.checks.document.security import Scheme
from core.checks.document.together import Told, told
from core.checks.generated.drive import without_points

ROW = {"type": "object", "required": ["age"], "properties": {"age": {"type": "integer"}, "job": {"type": "string"}}}
ROWS = {"type": "array", "items": {"$ref": "#/definitions/Row"}}
DOCUMENT = {"definitions": {"Row": ROW}}


def body(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


@pytest.mark.parametrize(
    ("schema", "form", "written"),
    [
        (body(people=ROWS), "people", {"people": [{"age": 3}]}),
        (body(people=ROWS, unit={"enum": ["EUR"]}), "people", {"people": [{"age": 3}], "unit": "EUR"}),
        (body(rows=ROWS, limit={"type": "integer", "minimum": 2}), "rows", {"rows": [{"age": 3}], "limit": 2}),
        (body(data=ROWS, model=body(name={"type": "string"})), "v1", {"data": [{"age": 3}], "model": {"name": ""}}),
        (ROWS, forms.LISTED, [{"age": 3}]),
        (ROW, forms.ONE, {"age": 3}),
        (body(instances=ROWS), "instances", {"instances": [{"age": 3}]}),
    ],
)
def test_a_body_is_written_as_its_schema_asks(schema: dict[str, Any], form: str, written: Any) -> None:
    (found, shape), *others = forms.shapes(DOCUMENT, schema).items()
    assert (found, others) == (form, [])
    more = forms.beside(DOCUMENT, form, shape)
    assert json.loads(forms.written([{"age": 3}], form, None, more)) == written
    assert forms.flat(DOCUMENT, forms.table(DOCUMENT, {form: shape})["items"])["properties"].keys() == {"age", "job"}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "number"}},
        body(user=body(name={"type": "string"})),
        body(inputs={"type": "array", "items": body(shape={"type": "array"}, name={"type": "string"})}),
        {"type": "object"},
        {"type": "string"},
    ],
)
def test_what_holds_no_row_of_named_scalars_is_no_form(schema: dict[str, Any]) -> None:
    assert forms.shapes(DOCUMENT, schema) == {}


LIST = {"type": "array"}


@pytest.mark.parametrize(
    ("form", "reply", "keys"),
    [
        ("v1", body(result=LIST), ("result",)),
        ("v1", body(took={"type": "number"}, answers=LIST), ("answers",)),
        ("instances", body(predictions=LIST, probabilities=LIST, classes=LIST), ("predictions", "probabilities")),
        ("people", body(columns=LIST, outputs=LIST), ("outputs",)),
        ("people", LIST, ("",)),
        (forms.LISTED, LIST, ("",)),
        (forms.ONE, body(price={"type": "number"}), ()),
    ],
)
def test_the_answers_are_sought_where_the_reply_holds_them(form: str, reply: Any, keys: tuple[str, ...]) -> None:
    assert replies.reply_keys({}, form, [reply]) == keys


def test_several_lists_are_one_answer_a_row_and_differ_in_length_never() -> None:
    keys = ("labels", "probabilities")
    assert replies.answers_in({"labels": ["a"], "probabilities": [[1.0]]}, keys) == [
        {"labels": "a", "probabilities": [1.0]}
    ]
    assert replies.answers_in({"labels": ["a", "b"], "probabilities": [[1.0]]}, keys) is None
    assert replies.answers_in({"labels": ["a"]}, keys) is None
    assert replies.answers_in([], keys) is None


def test_what_belongs_to_the_request_is_no_part_of_an_answer() -> None:
    momentary = {"requestId": "7", "created_at": "now", "latency_ms": 3, "trace-id": "t"}
    assert replies.steady({"price": 3.5, "paid": True} | momentary) == {"price": 3.5, "paid": True}
    assert replies.steady({"delivery_time": 3.5}) == {"delivery_time": 3.5}
    assert replies.steady(3.5) == 3.5


@pytest.mark.parametrize(
    ("told_of", "scheme"),
    [
        ({"type": "http", "scheme": "bearer"}, Scheme()),
        ({"type": "oauth2"}, Scheme()),
        ({"type": "apiKey", "in": "header", "name": "authorization"}, Scheme("authorization", unsaid=True)),
        ({"type": "apiKey", "in": "header", "name": "x-api-key"}, Scheme("x-api-key", "", challenged=False)),
        ({"type": "apiKey", "in": "cookie", "name": "key"}, Scheme("Cookie", "key=", challenged=False)),
        ({"type": "http", "scheme": "Basic"}, Scheme(word="Basic ")),
        ({"type": "basic"}, Scheme(word="Basic ")),
    ],
)
def test_a_key_is_sent_as_the_document_says(told_of: dict[str, str], scheme: Scheme) -> None:
    document = {"components": {"securitySchemes": {"k": told_of}}, "security": [{"k": []}]}
    assert security.secured_by(document, {}) == (scheme,)
    assert security.secured_by(document, {"security": []}) == ()
    assert security.secured_by(document, {"security": [{"k": []}, {}]}) == (), "the key may be left out"


def test_the_key_itself_is_never_shown() -> None:
    credential = Scheme("x-api-key", "").credential("secret-key")
    assert (credential.value, credential.shell) == ("secret-key", "$SLIPWAY_KEY")
    assert "secret" not in repr(credential)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"label": "a", "probabilities": [0.25, 0.75]}, Told([0.25, 0.75], None, "a")),
        ({"prediction": 1, "probability": {"0": 0.25, "1": 0.75}}, Told([0.25, 0.75], ["0", "1"], 1)),
        ({"label": "a", "result": "b", "chance": 0.5}, Told([0.5], None, None)),
        ({"probability": "high"}, None),
        ({"price": 3.5}, None),
        ("a", None),
    ],
)
def test_probabilities_are_found_beside_a_label(answer: Any, expected: Told | None) -> None:
    assert told(answer) == expected


@pytest.mark.parametrize(
    ("server", "path", "columns"),
    [(Flats, "/prices", 4), (Wines, "/classify", 4), (Rain, "/forecast", 3)],
)
def test_other_peoples_documents_are_read(server: type[Flats | Wines | Rain], path: str, columns: int) -> None:
    described = describe(server().document(""))
    assert (described.score_path, len(described.signature.used)) == (path, columns)


def test_of_several_operations_the_one_that_takes_a_list_is_examined() -> None:
    paths = {path: {"post": posting(schema)} for path, schema in (("/login", ROW), ("/predict", ROW), ("/batch", ROWS))}
    assert describe(DOCUMENT | {"swagger": "2.0", "paths": paths}).score_path == "/batch"
    del paths["/batch"]
    assert describe(DOCUMENT | {"swagger": "2.0", "paths": paths}).one_row


def posting(schema: dict[str, Any]) -> dict[str, Any]:
    return {"parameters": [{"in": "body", "name": "body", "schema": schema}], "responses": {"200": {"schema": LIST}}}


def test_whole_numbers_lose_their_point_and_nothing_else_changes() -> None:
    assert json.loads(without_points(b'{"a": 7.0, "b": 1e3, "c": 1.5}')) == {"a": 7, "b": 1000, "c": 1.5}
    assert b"7.0" not in without_points(b"[7.0]")
    assert without_points(b'{"a":  1.5}') == b'{"a":  1.5}'
    assert without_points(b"{") == b"{"
    assert without_points(b"[1e999]") == b"[1e999]"


@pytest.mark.parametrize(("server", "column"), [(Flats, "district"), (Wines, "note"), (Rain, "station")])
def test_a_schema_file_adds_to_rows_under_any_key_and_in_a_bare_list(
    server: type[Flats | Wines | Rain], column: str
) -> None:
    told_more = with_schema(server().document(""), {"properties": {column: {"enum": ["a", "b"]}}})
    columns = {each.name: each for each in describe(told_more).signature.columns}
    assert (columns[column].levels, columns[column].closed) == (("a", "b"), True)
