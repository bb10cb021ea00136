"""Any version of a document is read into the same promises."""

import copy
import json
from pathlib import Path

import pytest
from signatures import bank_signature, mixed_signature

from contract_tests.reference_document import CLASSES, COLUMNS, LEVELS, OBSERVED, ROWS_MAX, document
from core.checks.document import describe
from core.checks.registry import Violation
from core.contract import openapi
from core.domain.data import ColumnKind
from core.domain.endpoint import EndpointLimits

VERSIONS = ("2", "3", "3.1")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_tells_the_same_columns(version: str) -> None:
    described = describe(document(version))
    found = {c.name: (c.kind.value, c.nullable, c.levels) for c in described.signature.columns}
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
    assert [c.levels for c in read.used] == [c.levels if c.closed else () for c in signature.used]
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
    with pytest.raises(Violation, match="no POST operation RunMLService"):
        describe(without)
    wordless = copy.deepcopy(document("3"))
    del wordless["paths"]["/score"]["post"]["requestBody"]
    with pytest.raises(Violation, match="no body with data, Inputs or input_data"):
        describe(wordless)
    dangling = copy.deepcopy(document("3"))
    dangling["paths"]["/score"]["post"]["requestBody"] = {"$ref": "#/components/requestBodies/Gone"}
    with pytest.raises(Violation, match="which it does not hold"):
        describe(dangling)
