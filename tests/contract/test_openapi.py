"""The published document: valid for an independent validator, true, and readable by clients of Azure's documents."""

import json
import re
from pathlib import Path

import jsonschema
import msgspec
import numpy as np
import pytest
from bodies import mutated
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import validate
from signatures import bank_signature, mixed_signature, signatures

from core.contract.openapi import REFUSALS, SUPPORTED, document
from core.contract.payload import Decoder, ScoreRequest, encode_error, encode_reply
from core.domain.endpoint import EndpointLimits
from core.domain.errors import NotFound, PayloadInvalid, PayloadTooLarge

WIRE = Path(__file__).resolve().parents[3] / "shared" / "azure" / "wire"
AZURE_DOCUMENTS = (
    ("swagger_v2_inputs_globalparams.json", "v2"),
    ("swagger_v2_2023_with_getswagger.json", "v2"),
    ("swagger_v1_legacy.json", "v1"),
)
FREE = ("/description", "/info/title", "/info/version")
"""What each service says in its own words."""
OTHERWISE = {
    r"^/schemes$": "the endpoint is served over plain HTTP on this machine",
    r"/responses/default$": "every refusal is listed by its status, with the same ErrorResponse",
    r"/get/responses/200/examples/application/json$": "health is text, and its example stands under text/plain",
    r"/swagger.json/get/parameters/0/(type|enum/.*)$": "3.1 is a version too, and no integer",
    r"/swagger.json/get/responses/200/schema/type$": "the document is sent as the object that it is",
    r"/ServiceInput/example/.*data/0/": "the example is made of typical values, not of placeholders",
    r"/data/format$": "rows are JSON records; that a server keeps them in a pandas frame concerns no client",
    r"/GlobalParameters/required$": "`method` may be left out",
    r"/ServiceOutput/(properties/Results/(items/type|format)|example.*)$": "a row may also get its probabilities",
    r"/ServiceOutput/(type|items)$": "the old document promised a list of integers, and its service sent an object",
    r"/ErrorResponse/properties/status_code$": "the status stands in the status line, and is not said again",
}
"""Where our document reads otherwise than Azure's, by a pattern of the path, and why no client misses it."""
FORMS = ("v1", "v2", "mlflow")
LIMITS = EndpointLimits(max_rows=3)


def publish(signature, version, **options):
    # Through JSON, as a client reads it.
    written = document(signature, title="bank-marketing", version=version, limits=LIMITS, **options)
    return json.loads(msgspec.json.encode(written))


def validator(published, name):
    """A validator of one named schema of a document, with the document's own references."""
    if "swagger" in published:
        return jsonschema.Draft4Validator(published["definitions"][name] | {"definitions": published["definitions"]})
    schema = published["components"]["schemas"][name] | {"components": published["components"]}
    return (OAS30Validator if published["openapi"] == "3.0.3" else jsonschema.Draft202012Validator)(schema)


def accepted(signature, body, **options):
    try:
        Decoder(signature, max_rows=LIMITS.max_rows, **options)(body)
    except (PayloadInvalid, PayloadTooLarge):
        return False
    return True


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("signature", [bank_signature(exclude=["duration"]), mixed_signature()], ids=["bank", "mixed"])
@pytest.mark.contract("D1", "D4")
def test_the_document_is_valid_for_an_independent_validator(version, form, signature):
    for more in ({}, {"legacy_reply": True, "server_url": "http://127.0.0.1:5001/under", "unseen_accept": True}):
        validate(publish(signature, version, primary_form=form, **more))


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.contract("D4")
def test_operations_title_and_key_are_named_as_azures_are(version):
    published = publish(bank_signature(), version, model_version="7")
    named = {
        (verb, path): operation["operationId"]
        for path, operations in published["paths"].items()
        for verb, operation in operations.items()
    }
    assert named == {
        ("get", "/"): "ServiceHealthCheck",
        ("post", "/score"): "RunMLService",
        ("get", "/swagger.json"): "GetSwaggerSpec",
    }
    assert (published["info"]["title"], published["info"]["version"]) == ("bank-marketing", "7")
    schemes = published["securityDefinitions"] if version == "2" else published["components"]["securitySchemes"]
    assert list(schemes) == ["Bearer"]
    assert published["paths"]["/score"]["post"]["security"] == [{"Bearer": []}]


@settings(max_examples=12, derandomize=True, deadline=None)
@given(signatures(), st.sampled_from(SUPPORTED))
def test_the_document_of_any_signature_is_valid(signature, version):
    validate(publish(signature, version))


@settings(max_examples=120, derandomize=True, deadline=None)
@given(st.data())
@pytest.mark.contract("D2")
def test_3_1_allows_exactly_what_is_accepted(data):
    signature = data.draw(st.just(mixed_signature()) | signatures())
    body = data.draw(mutated(signature))
    allowed = validator(publish(signature, "3.1"), "ServiceInput").is_valid(json.loads(body))
    taken = accepted(signature, body)
    if allowed:
        assert taken, body
    # The one thing that JSON Schema cannot say, and the description does: `columns` in any order or selection.
    if taken and b'"input_data"' not in body:
        assert allowed, body


def as_number(text: str) -> float:
    """1.0 is an integer since JSON Schema draft 6; OpenAPI 3.0 stands on an older one, which leaves it open."""
    value = float(text)
    return int(value) if value.is_integer() else value


@settings(max_examples=80, derandomize=True, deadline=None)
@given(st.data())
@pytest.mark.contract("D2")
def test_3_0_allows_nothing_that_is_refused_and_forbids_no_record_that_is_accepted(data):
    signature = data.draw(st.just(mixed_signature()) | signatures())
    body = data.draw(mutated(signature))
    allowed = validator(publish(signature, "3"), "ServiceInput").is_valid(json.loads(body, parse_float=as_number))
    taken = accepted(signature, body)
    if allowed:
        assert taken, body
    if taken and b'"input_data"' not in body:
        assert allowed, body


@settings(max_examples=120, derandomize=True, deadline=None)
@given(st.data(), st.sampled_from(FORMS))
@pytest.mark.contract("D2")
def test_2_0_allows_nothing_that_is_refused(data, form):
    signature = data.draw(st.just(mixed_signature()) | signatures())
    body = data.draw(mutated(signature))
    if validator(publish(signature, "2", primary_form=form), "ServiceInput").is_valid(json.loads(body)):
        assert accepted(signature, body), body


@pytest.mark.parametrize("version", ["3", "3.1"])
@pytest.mark.contract("C3", "D1")
def test_opened_categories_are_no_enum(version):
    row = publish(mixed_signature(), version, unseen_accept=True)["components"]["schemas"]["Row"]
    assert "enum" not in row["properties"]["colour"]


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.parametrize("legacy_reply", [False, True])
@pytest.mark.parametrize("method", ["predict", "predict_proba"])
@pytest.mark.contract("D2")
def test_replies_are_what_the_document_says(version, legacy_reply, method):
    signature = mixed_signature()
    for form in FORMS:
        published = publish(signature, version, legacy_reply=legacy_reply, primary_form=form)
        probabilities = np.array([[0.25, 0.75], [1.0, 0.0]])
        reply = encode_reply(ScoreRequest(method, form, 2, ()), signature, probabilities, legacy_reply=legacy_reply)
        validator(published, "ServiceOutput").validate(json.loads(reply))


@pytest.mark.parametrize("legacy_reply", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.contract("D1")
def test_the_example_of_a_reply_is_one(form, legacy_reply):
    signature = mixed_signature()
    output = publish(signature, "2", legacy_reply=legacy_reply, primary_form=form)["definitions"]["ServiceOutput"]
    certain = np.eye(1, len(signature.classes))
    reply = encode_reply(ScoreRequest("predict", form, 1, ()), signature, certain, legacy_reply=legacy_reply)
    assert output["example"] == json.loads(reply)


@pytest.mark.contract("B7")
def test_the_reply_says_string_where_it_is_encoded_twice():
    assert publish(bank_signature(), "2", legacy_reply=True)["definitions"]["ServiceOutput"]["type"] == "string"


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.contract("E1", "D1")
def test_errors_are_what_the_document_says(version):
    with pytest.raises(PayloadInvalid) as caught:
        Decoder(mixed_signature())(b'{"data":[{}],"x":1}')
    for error in (caught.value, NotFound("No such path")):
        validator(publish(mixed_signature(), version), "ErrorResponse").validate(json.loads(encode_error(error)))


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.contract("D1")
def test_every_refusal_is_listed_with_the_error_schema(version):
    responses = publish(bank_signature(), version)["paths"]["/score"]["post"]["responses"]
    assert set(responses) == {"200", *map(str, REFUSALS)}
    for status in map(str, REFUSALS):
        assert "ErrorResponse" in json.dumps(responses[status])


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.contract("D1")
def test_examples_are_typical_values_and_accepted(version):
    signature = bank_signature(exclude=["duration"])
    published = publish(signature, version)
    if version == "2":
        bodies = [published["definitions"]["ServiceInput"]["example"]]
    else:
        media = published["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]
        bodies = [example["value"] for example in media["examples"].values()]
        assert len(bodies) == 3
    for body in bodies:
        assert validator(published, "ServiceInput").is_valid(body)
        assert accepted(signature, json.dumps(body).encode())


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.contract("D1")
def test_the_operation_says_classes_and_threshold(version):
    score = publish(bank_signature(), version)["paths"]["/score"]["post"]
    assert (score["x-classes"], score["x-positive-class"], score["x-threshold"]) == (["no", "yes"], "yes", None)


@pytest.mark.contract("D1")
def test_observed_ranges_are_published_as_a_signal_not_as_a_contract():
    properties = publish(bank_signature(), "3.1")["components"]["schemas"]["Row"]["properties"]
    assert properties["age"]["x-observed"] == {"low": 17, "high": 98}
    assert properties["age"]["minimum"] < 17


@pytest.mark.contract("R3")
def test_the_document_needs_a_key_where_the_endpoint_says_so():
    limits = EndpointLimits(swagger_requires_key=True)
    swagger = document(bank_signature(), title="t", version="3", limits=limits)["paths"]["/swagger.json"]["get"]
    assert swagger["security"] == [{"Bearer": []}]
    assert "401" in swagger["responses"]


@pytest.mark.parametrize("version", ["1", "3.0", "", "9" * 500])
@pytest.mark.contract("R3")
def test_another_version_is_not_found_and_the_supported_ones_are_named(version):
    with pytest.raises(NotFound) as caught:
        document(bank_signature(), title="t", version=version, limits=LIMITS)
    assert caught.value.hint == "The versions are 2, 3, 3.1"
    assert len(caught.value.message) < 100


@pytest.mark.skipif(not WIRE.exists(), reason="../shared is not here")
@pytest.mark.parametrize(
    ("name", "form"),
    AZURE_DOCUMENTS,
)
def test_what_a_client_reads_in_azures_documents_is_in_ours(name, form):
    theirs = json.loads((WIRE / name).read_text())
    ours = publish(bank_signature(), "2", primary_form=form)
    missed = {path: (read, found) for path, read, found in lacking(theirs, ours) if not any(map(path.endswith, FREE))}
    for path, why in OTHERWISE.items():
        missed = {at: what for at, what in missed.items() if not re.search(path, at)}
        assert why
    assert missed == {}
    for operation, verb in (("/", "get"), ("/score", "post")):
        responses = ours["paths"][operation][verb]["responses"].items()
        refusals = [response["schema"] for status, response in responses if status != "200"]
        assert refusals == [{"$ref": "#/definitions/ErrorResponse"}] * len(refusals) != []


@pytest.mark.skipif(not WIRE.exists(), reason="../shared is not here")
def test_each_way_in_which_our_document_reads_otherwise_than_azures_occurs():
    met = []
    for name, form in AZURE_DOCUMENTS:
        theirs, ours = json.loads((WIRE / name).read_text()), publish(bank_signature(), "2", primary_form=form)
        met += [path for path, _, _ in lacking(theirs, ours)]
    assert [known for known in OTHERWISE if not any(re.search(known, path) for path in met)] == []


def lacking(theirs, ours, path=""):
    """Each place of `theirs` whose value `ours` has not: its path, what stands there, what we have there."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key, value in theirs.items():
            yield from lacking(value, ours.get(key), f"{path}/{key}")
    elif isinstance(theirs, list) and isinstance(ours, list) and all(isinstance(item, str) for item in theirs):
        if not set(theirs) <= set(ours):
            yield path, theirs, ours
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) <= len(ours):
        for at, (one, other) in enumerate(zip(theirs, ours, strict=False)):
            yield from lacking(one, other, f"{path}/{at}")
    elif theirs != ours:
        yield path, theirs, ours


@pytest.mark.contract("D3")
@pytest.mark.parametrize("version", SUPPORTED)
def test_what_no_schema_can_say_stands_in_the_description(version):
    limits = EndpointLimits(max_body_mb=3, body_timeout_s=7, max_concurrent=41)

    described = json.dumps(document(bank_signature(), title="t", version=version, limits=limits))

    assert all(said in described for said in ("at most 3 MB", "within 7 s", "41 requests are answered at once"))
