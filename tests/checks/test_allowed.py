"""What was generated is held against the document before anybody is blamed for it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signatures import mixed_signature, signatures

from core.checks.document.allowed import Bodies
from core.checks.document.description import describe
from core.checks.generated.drive import bounded
from core.contract import samples
from core.contract.openapi import document
from core.contract.payload import Decoder
from core.domain.endpoint import EndpointLimits
from core.domain.errors import PayloadInvalid
from core.domain.signature import Signature

VERSIONS = ("2", "3", "3.1")


def bodies(signature: Signature, version: str) -> Bodies:
    return Bodies(describe(document(signature, title="t", version=version, limits=EndpointLimits())))


@settings(max_examples=60, derandomize=True, deadline=None)
@given(signatures(), st.sampled_from(VERSIONS), st.integers(0, 99))
def test_what_is_drawn_from_a_signature_is_allowed_by_its_document(
    signature: Signature, version: str, seed: int
) -> None:
    assert bodies(signature, version).allowed(samples.body(samples.rows(signature, 3, seed))) is True


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_document_forbids_is_told_from_what_it_allows(version: str) -> None:
    signature = mixed_signature()
    row = samples.typical_row(signature)
    judge = bodies(signature, version)
    for wrong in ({"count": "old"}, {"count": None}, {"colour": "green"}, {"flag": 1}, {"other": 1}, {"id": {}}):
        body = json.dumps({"data": [{**row, **wrong}]}).encode()
        assert judge.allowed(body) is False, wrong
        with pytest.raises(PayloadInvalid):
            Decoder(signature)(body)
    for right in ({"rate": None}, {"colour": None}, {"id": None}, {"note": "anything"}):
        assert judge.allowed(json.dumps({"data": [{**row, **right}]}).encode()) is True, right
    assert judge.allowed(b"{") is None


def test_rows_longer_than_their_columns_are_not_valid_data() -> None:
    """Of 400 columns a list with a type a place was generated longer, and its refusal was called a violation."""
    schema = {"type": "array", "prefixItems": [{"type": "string"}] * 400, "minItems": 400, "maxItems": 400}
    assert bounded(schema) == schema
    assert bounded({"type": "array", "items": {}, "maxItems": 10_000}) == {"type": "array", "items": {}}


@pytest.mark.parametrize("word", ["example", "default", "enum", "examples"])
def test_data_and_names_are_no_words_of_a_schema(word: str) -> None:
    """A column may be called `maxItems`, and hold 500."""
    data: Any = {"data": [{"maxItems": 500}]}
    schema = {"properties": {"maxItems": {"type": "integer"}, word: {"type": "array", "maxItems": 500}}, word: data}
    assert bounded(schema) == schema | {"properties": schema["properties"] | {word: {"type": "array"}}}
