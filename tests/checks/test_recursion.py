"""A document that refers to itself: what is harmless is examined, what means nothing is told in one sentence."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from turns import in_turn

from contract_tests.reference import KEY, Reference, serving
from contract_tests.reference_document import document
from core.checks import run_checks
from core.checks.document.description import describe
from core.checks.document.forms import beside
from core.checks.document.overlay import with_schema
from core.checks.document.schema import alternatives, flat
from core.checks.outcome import Violation
from core.domain.proof import Target

NAMES = ("A", "B", "C")
Change = Callable[[dict[str, Any]], None]


def errors_within_errors(published: dict[str, Any]) -> None:
    error = {"$ref": "#/components/schemas/Error"}
    published["components"]["schemas"]["Error"]["properties"]["causes"] = {"type": "array", "items": error}


def body_of(published: dict[str, Any]) -> dict[str, Any]:
    media: dict[str, Any] = published["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]
    return media


def a_body_that_may_be_itself(published: dict[str, Any]) -> None:
    forms = body_of(published)["schema"]["oneOf"]
    again = {"allOf": [{"$ref": "#/components/schemas/Body"}]}
    published["components"]["schemas"]["Body"] = {"anyOf": [{"$ref": "#/components/schemas/Body"}, again, *forms]}
    body_of(published)["schema"] = {"$ref": "#/components/schemas/Body"}


def a_column_in_a_circle(published: dict[str, Any]) -> None:
    schemas = published["components"]["schemas"]
    schemas["Age"], schemas["Years"] = ({"$ref": f"#/components/schemas/{name}"} for name in ("Years", "Age"))
    form = body_of(published)["schema"]["oneOf"][0]
    form["properties"]["data"]["items"]["properties"]["age"] = {"$ref": "#/components/schemas/Age"}


def a_body_in_a_circle(published: dict[str, Any]) -> None:
    published["components"]["schemas"]["Body"] = {"$ref": "#/components/schemas/Body"}
    body_of(published)["schema"] = {"$ref": "#/components/schemas/Body"}


def a_circle_that_nothing_needs(published: dict[str, Any]) -> None:
    published["components"]["schemas"]["Unused"] = {"$ref": "#/components/schemas/Unused"}


def changed(change: Change) -> Reference:
    class Changed(Reference):
        def document(self, version: str) -> dict[str, Any]:
            published = json.loads(json.dumps(document("3.1")))
            change(published)
            return published

    return Changed()


HARMLESS = [errors_within_errors, a_body_that_may_be_itself, a_circle_that_nothing_needs]


@pytest.mark.parametrize("change", in_turn(HARMLESS, 3, lambda change: change.__name__))
def test_a_harmless_recursion_is_examined(change: Change) -> None:
    with serving(changed(change)) as url:
        results = run_checks(Target(url, KEY))
    assert [(result.name, result.evidence) for result in results if result.passed is False or result.no_verdict] == []


@pytest.mark.parametrize("change", [a_column_in_a_circle, a_body_in_a_circle])
def test_a_circle_is_one_violation_with_a_sentence(change: Change) -> None:
    with serving(changed(change)) as url:
        results = run_checks(Target(url, KEY))
    failed = [(result.name, result.evidence) for result in results if result.passed is False]
    assert [name for name, _ in failed] == ["document_is_usable"]
    assert failed[0][1].endswith("refers to nothing but itself")


def test_a_schema_of_a_row_finds_its_place_in_a_body_that_may_be_itself() -> None:
    published = json.loads(json.dumps(document("3.1")))
    a_body_that_may_be_itself(published)
    described = describe(with_schema(published, {"properties": {"shoe": {"enum": ["left", "right"]}}}))
    assert {column.name: column.levels for column in described.signature.columns}["shoe"] == ("left", "right")


def test_what_a_body_needs_besides_ends_although_it_needs_itself() -> None:
    tree = {"type": "object", "required": ["inner"], "properties": {"inner": {"$ref": "#/Tree"}}}
    shape = {"required": ["data", "tree"], "properties": {"data": {}, "tree": {"$ref": "#/Tree"}}}
    assert beside({"Tree": tree}, "v1", shape).keys() == {"tree"}


def parts(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(*(st.fixed_dictionaries({word: lists}) for word in ("allOf", "anyOf", "oneOf")))


REFERENCES = st.sampled_from([{"$ref": f"#/{name}"} for name in NAMES])
SCHEMAS = st.recursive(REFERENCES | st.sampled_from([{"type": "integer"}, {"type": "null"}, {}]), parts, max_leaves=6)


NULL_BESIDE_A_CIRCLE = {
    "A": {"allOf": [{"$ref": "#/B"}]},
    "B": {"oneOf": [{"anyOf": [{"$ref": "#/A"}, {"type": "null"}]}]},
    "C": {},
}


@example(NULL_BESIDE_A_CIRCLE)
@given(st.fixed_dictionaries(dict.fromkeys(NAMES, SCHEMAS)))
def test_every_walk_through_schemas_ends(schemas: dict[str, Any]) -> None:
    ended = False
    with suppress(Violation):  # of circles, which mean nothing
        flat(schemas, {"$ref": "#/A"})
        ended = len(list(alternatives(schemas, {"$ref": "#/A"}))) < 100
    assert ended or "#/" in json.dumps(schemas)
