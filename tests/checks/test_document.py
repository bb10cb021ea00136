"""Any version of a document is read into the same promises."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from signatures import bank_signature, mixed_signature

from contract_tests.reference_document import CLASSES, COLUMNS, LEVELS, OBSERVED, ROWS_MAX, document
from core.checks.document.description import describe
from core.checks.document.schema import flat
from core.checks.outcome import Violation
from core.contract import openapi
from core.domain.data import ColumnKind
from core.domain.endpoint import EndpointLimits
from core.domain.errors import NoVerdict
from core.domain.signature import Column

VERSIONS = ("2", "3", "3.1")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_tells_the_same_columns(version: str) -> None:
    described = describe(document(version))
    found = {c.name: (c.kind.value, c.nullable, c.levels if c.closed else ()) for c in described.signature.columns}
    assert found == {name: (*promise, LEVELS.get(name, ())) for name, promise in COLUMNS.items()}
    assert [c.low for c in described.signature.columns if c.name in OBSERVED] == [o["low"] for o in OBSERVED.values()]
    assert described.signature.classes == CLASSES
    assert described.signature.positive_class == "yes"
    assert described.forms == (("v1",) if version == "2" else ("v1", "v2", "mlflow"))
    assert (described.secured, described.strict, described.empty_allowed) == (True, True, True)
    assert (described.max_rows, described.methods) == (ROWS_MAX, ("predict", "predict_proba"))
    assert "message" in described.error_fields
    assert "431" in described.statuses


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("signature", [bank_signature(exclude=["duration"]), mixed_signature()], ids=["bank", "mixed"])
def test_our_own_document_gives_our_signature_back(version: str, signature) -> None:
    published = openapi.document(signature, title="t", version=version, limits=EndpointLimits())
    read = describe(published).signature
    assert [(c.name, c.kind, c.nullable, c.low, c.high) for c in read.used] == [
        (c.name, c.kind, c.nullable, *((c.low, c.high) if c.low is not None else (None, None))) for c in signature.used
    ]
    assert [c.levels if c.closed else () for c in read.used] == [c.levels if c.closed else () for c in signature.used]
    assert {c.name for c in read.columns} == {c.name for c in signature.columns}
    assert (read.classes, read.threshold) == (signature.classes, signature.threshold)


@pytest.mark.parametrize("form", ["v1", "v2"])
def test_the_primary_form_of_a_swagger_document_is_found(form: str) -> None:
    published = openapi.document(mixed_signature(), title="t", limits=EndpointLimits(), primary_form=form)
    described = describe(published)
    assert described.forms == (form,)
    assert described.methods == ("predict", "predict_proba")
    assert described.signature.used


@pytest.mark.parametrize("version", VERSIONS)
def test_a_double_encoded_reply_is_seen_in_the_document(version: str) -> None:
    published = openapi.document(
        mixed_signature(), title="t", version=version, limits=EndpointLimits(), legacy_reply=True
    )
    assert describe(published).legacy_reply
    assert not describe(document(version)).legacy_reply


@pytest.mark.parametrize(
    ("name", "form", "methods"),
    [
        ("swagger_v1_legacy.json", "v1", ()),
        ("swagger_v2_inputs_globalparams.json", "v2", ("predict", "predict_proba")),
        ("swagger_v2_2023_with_getswagger.json", "v2", ("predict", "predict_proba")),
    ],
)
def test_azures_own_documents_are_read(shared: Path, name: str, form: str, methods: tuple[str, ...]) -> None:
    described = describe(json.loads((shared / "azure" / "wire" / name).read_text()))
    kinds = {column.name: column.kind for column in described.signature.used}
    assert (described.forms, described.methods, described.strict) == ((form,), methods, False)
    assert len(kinds) == 20
    assert (kinds["age"], kinds["job"], kinds["euribor3m"]) == (
        ColumnKind.INTEGER,
        ColumnKind.STRING,
        ColumnKind.NUMBER,
    )
    assert described.signature.classes == ()


def one_column(schema: dict[str, Any]) -> Column:
    published = document("3.1")
    v1 = published["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]["schema"]["oneOf"][0]
    v1["properties"]["data"]["items"] |= {"properties": {"age": schema}, "required": ["age"]}
    v1["example"] = {"data": [{}]}
    (column,) = describe(published).signature.columns
    return column


@pytest.mark.parametrize(
    ("schema", "low", "high"),
    [
        ({"type": "integer", "x-observed": {"low": 18, "high": 90}}, 18, 90),
        ({"type": "integer", "x-observed": {"low": 18, "high": 90}, "maximum": 40}, 18, 40),
        ({"type": "integer", "minimum": 300}, 300, 400),
        ({"type": "integer", "exclusiveMinimum": 300, "maximum": 310}, 301, 310),
        ({"type": "integer", "maximum": -1}, -101, -1),
        ({"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}, 0, 100),
        ({"type": "integer", "minimum": 0, "exclusiveMinimum": True}, 1, 100),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 1e-6, 1 - 1e-6),
        ({"type": "integer", "enum": [3, 1, 2]}, 1, 3),
        ({"type": "integer", "enum": [1, 5]}, 1, 1),
        ({"type": "integer", "const": 7}, 7, 7),
        ({"type": "number", "example": 40.0}, 20.0, 60.0),
        ({"type": "number", "example": -40.0}, -60.0, -20.0),
        ({"type": "number", "example": 0.0}, 0, 100),
        ({"type": "number"}, 0, 100),
    ],
)
def test_numbers_are_drawn_only_from_what_the_schema_allows(schema: dict[str, Any], low: float, high: float) -> None:
    column = one_column(schema)
    assert (column.low, column.high) == pytest.approx((low, high))


def test_texts_are_drawn_from_the_example_where_no_categories_are_published() -> None:
    assert one_column({"type": "string", "example": "nurse"}).levels == ("nurse",)
    assert one_column({"type": "string", "examples": ["nurse", "pilot"]}).levels == ("nurse", "pilot")
    assert not one_column({"type": "string", "examples": ["nurse"]}).closed
    assert one_column({"enum": ["nurse"]}).closed


def test_scoring_is_found_wherever_it_is() -> None:
    elsewhere = document("3")
    post = elsewhere["paths"].pop("/score")["post"]
    del post["operationId"]
    elsewhere["paths"] |= {"/feedback": {"post": {"responses": {}}}, "/invocations": {"post": post}}
    elsewhere["servers"] = [{"url": "https://somewhere.example/v1/"}]
    assert describe(elsewhere).score_path == "/invocations"
    assert describe(elsewhere).home.bases == ("/v1", "")
    del elsewhere["paths"]["/invocations"]
    with pytest.raises(NoVerdict, match="what rows look like: POST /feedback has no body"):
        describe(elsewhere)


@pytest.mark.parametrize(
    ("reply", "keys"),
    [
        ({"type": "object", "properties": {"result": {"type": "array"}}}, ("result",)),
        ({"type": "object", "properties": {"took": {"type": "number"}, "answers": {"type": "array"}}}, ("answers",)),
        ({"type": "array"}, ("",)),
        ({"type": "object", "properties": {"result": {}}}, ("result",)),
        ({"type": "object", "properties": {"predict": {}}}, None),
        ({"type": "string"}, None),
        ({}, None),
    ],
)
def test_the_answers_are_sought_where_the_document_puts_them(
    reply: dict[str, Any], keys: tuple[str, ...] | None
) -> None:
    published = document("2")
    published["paths"]["/score"]["post"]["responses"]["200"]["schema"] = reply
    assert describe(published).reply_keys == {"v1": keys}


def test_a_row_made_of_several_schemas_has_the_columns_of_all() -> None:
    parts = {
        "A": {"properties": {"a": {"type": "integer"}}, "required": ["a"]},
        "B": {"allOf": [{"$ref": "#/A"}], "properties": {"b": {"type": "string"}}, "required": ["b"]},
    }
    row = flat(parts, {"allOf": [{"$ref": "#/A"}, {"$ref": "#/B"}], "properties": {"c": {"type": "number"}}})
    assert row["properties"].keys() == {"a", "b", "c"}
    assert set(row["required"]) == {"a", "b"}


def test_nullability_is_read_from_every_notation() -> None:
    published = document("3.1")
    notations = {
        "a": {"type": ["integer", "null"]},
        "b": {"type": "integer", "nullable": True},
        "c": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "d": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Whole"}]},
        "e": {"allOf": [{"$ref": "#/components/schemas/Whole"}], "x-nullable": True},
    }
    published["components"]["schemas"]["Whole"] = {"type": "integer", "x-observed": {"low": 3, "high": 4}}
    v1 = published["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]["schema"]["oneOf"][0]
    v1["properties"]["data"]["items"]["properties"] = notations
    columns = describe(published).signature.columns
    assert [(c.kind, c.nullable) for c in columns] == [(ColumnKind.INTEGER, True)] * len(notations)
    assert [(c.low, c.high) for c in columns[-2:]] == [(3, 4)] * 2


def test_a_document_that_promises_no_scoring_is_a_violation_that_says_so() -> None:
    without = copy.deepcopy(document("3"))
    del without["paths"]["/score"]
    with pytest.raises(Violation, match="no POST operation"):
        describe(without)
    wordless = copy.deepcopy(document("3"))
    del wordless["paths"]["/score"]["post"]["requestBody"]
    with pytest.raises(NoVerdict, match="POST /score has no body with rows"):
        describe(wordless)
    dangling = copy.deepcopy(document("3"))
    dangling["paths"]["/score"]["post"]["requestBody"] = {"$ref": "#/components/requestBodies/Gone"}
    with pytest.raises(Violation, match="which it does not hold"):
        describe(dangling)
