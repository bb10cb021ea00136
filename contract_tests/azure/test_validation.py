"""The validator: what Azure itself sent and answered passes, and what is wrong is named."""

from pathlib import Path

import pytest

from contract_tests.azure.deviations import ANSWERED, OF_AZURE_ALONE, SENT
from contract_tests.azure.recordings import entries
from contract_tests.azure.validation import Exchange, violations
from contract_tests.azure.versions import NEAREST, Schemas

WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
ENDPOINT = {"location": "westeurope", "properties": {"authMode": "Key"}}
RESOURCE = {"id": "/x", "name": "e", "type": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"}


@pytest.fixture
def schemas(shared: Path) -> Path:
    return shared / "azure" / "schemas"


@pytest.fixture
def recordings(shared: Path) -> list[Path]:
    return sorted((shared / "azure" / "recordings").glob("*.json"))


def put(body: object, answered: object = None, *, status: int = 200, version: str = "2023-10-01") -> Exchange:
    path = f"{WORKSPACE}/onlineEndpoints/e"
    return Exchange("PUT", path, {"api-version": version}, body, status, answered or {**RESOURCE, **ENDPOINT})


def test_whatever_azure_itself_said_passes(schemas: Path, recordings: list[Path]) -> None:
    found = [
        fault
        for path in recordings
        for _, exchange in entries(path)
        for fault in violations(schemas, exchange, OF_AZURE_ALONE)
    ]
    assert found == []


@pytest.mark.parametrize("version", ["2022-10-01", "2023-10-01", "2024-10-01-preview", "2025-01-01-preview"])
def test_a_right_request_passes_in_every_version(schemas: Path, version: str) -> None:
    assert violations(schemas, put(ENDPOINT, version=version)) == []


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"location": "x", "properties": {"authMode": "Key", "colour": "red"}}, "properties.colour"),
        ({"location": "x", "properties": {"authMode": "Password"}}, "properties.authMode"),
        ({"location": "x", "properties": {"authMode": "Key", "traffic": {"blue": "all"}}}, "properties.traffic.blue"),
        ({"location": "x", "properties": {}}, "properties.authMode: is missing"),
        ({"location": 5, "properties": {"authMode": "Key"}}, "location"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(schemas: Path, body: object, named: str) -> None:
    assert any(f"sent {named}" in fault for fault in violations(schemas, put(body)))


def test_the_case_of_an_enum_does_not_matter(schemas: Path) -> None:
    assert violations(schemas, put({"location": "x", "properties": {"authMode": "kEY"}})) == []


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ({**RESOURCE, "location": "x", "properties": {"authMode": "Key", "scoringUri": 5}}, "properties.scoringUri"),
        ({**RESOURCE, "location": "x", "properties": {"authMode": "Key", "extra": 5}}, "properties.extra"),
        ({**RESOURCE, "location": "x", "properties": "none"}, "properties"),
        ({"location": "x", "properties": {"authMode": "Key"}}, "id: is missing"),
    ],
)
def test_what_is_wrong_with_an_answer_is_named(schemas: Path, answer: object, named: str) -> None:
    assert any(f"answered {named}" in fault for fault in violations(schemas, put(ENDPOINT, answer)))


def test_a_refusal_has_azures_shape(schemas: Path) -> None:
    right, wrong = {"error": {"code": "Conflict", "message": "It is there"}}, {"detail": "It is there"}
    assert violations(schemas, put(ENDPOINT, right, status=409)) == []
    assert any("error: is missing" in each for each in violations(schemas, put(ENDPOINT, wrong, status=409)))


def test_a_version_that_nobody_knows_is_named(schemas: Path) -> None:
    assert "neither in the schemas" in violations(schemas, put(ENDPOINT, version="2031-01-01"))[0]


def test_every_version_in_the_table_leads_to_schemas_that_are_there(schemas: Path) -> None:
    known = Schemas(schemas)
    assert [name for name in NEAREST if known.version(name) is None] == []


def test_every_deviation_has_its_reason() -> None:
    assert all(each.why for each in (*SENT, *ANSWERED, *OF_AZURE_ALONE))
