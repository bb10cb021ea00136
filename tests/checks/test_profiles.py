"""Strict asks nothing that is Azure's or ours; slipway asks for ours; azure forgives what it names, and no more."""

from collections.abc import Iterator
from typing import Any

import pytest
from azure_like import AzureLike, loose_document
from turns import on_day

from contract_tests.reference import KEY, Reference, Refused, Request, serving
from contract_tests.reference_document import CLASSES, LEVELS
from core.checks import Profile, Source, catalogue, run_checks
from core.checks.azure import DEVIATIONS, Objection, known
from core.checks.effort import OURS
from core.domain.proof import CheckResult, Target

NAMED = {
    "content_type_conformance": "health as text/html",
    "response_schema_conformance": "double-encoded reply, error as 200",
    "negative_data_rejection": "error as 200",
}
"""Check -> the deviations of AzureLike that it meets; others may join in."""


def judged(server: Reference, profile: Profile, **given: Any) -> dict[str, CheckResult]:
    with serving(server) as url:
        return {result.name: result for result in run_checks(Target(url, KEY), profile=profile, **given)}


def violated(results: dict[str, CheckResult]) -> set[str]:
    return {name for name, result in results.items() if result.passed is False}


@pytest.fixture(scope="module")
def azure_like() -> Iterator[Target]:
    with serving(AzureLike()) as url:
        yield Target(url, KEY)


def test_strict_and_azure_hold_nobody_to_our_own_contract() -> None:
    strict, azure = set(catalogue(Profile.STRICT)), set(catalogue(Profile.AZURE))
    assert {check for check in catalogue() if check.profiles == OURS} == set(catalogue()) - strict
    assert strict <= set(catalogue(Profile.SLIPWAY))
    assert azure <= strict


def test_azure_forgives_every_deviation_that_it_names_and_says_so(azure_like: Target) -> None:
    results = {result.name: result for result in run_checks(azure_like, profile=Profile.AZURE)}
    assert violated(results) == set()
    for name, deviations in NAMED.items():
        assert results[name].passed is None
        told = results[name].evidence
        assert told.startswith("known deviation (")
        assert all(deviation in told for deviation in deviations.split(", ")), told
    assert results["order_is_kept"].passed is True


@on_day(1, 3)
def test_strict_forgives_none_of_them(azure_like: Target) -> None:
    results = {result.name: result for result in run_checks(azure_like)}
    assert {*NAMED, "replies_are_encoded_once"} - {"response_schema_conformance"} <= violated(results)
    assert "see replies_are_encoded_once" in results["response_schema_conformance"].evidence
    assert not any(result.evidence.startswith("known deviation") for result in results.values())
    assert results["order_is_kept"].passed is True


class Shuffles(AzureLike):
    """A bug behind the deviations."""

    def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        return super().probabilities(rows)[::-1]


class Crashes(AzureLike):
    def authorized(self, header: str) -> bool:
        if not super().authorized(header):
            raise Refused(500, "The key store is gone")
        return True


class TakesAnyKey(AzureLike):
    def authorized(self, header: str) -> bool:
        return True


@pytest.mark.parametrize(
    ("server", "check", "part"),
    [
        (Shuffles, "batch_equals_single", "semantic"),
        (Crashes, "wrong_keys_are_refused", "wire"),
        (TakesAnyKey, "no_key_is_refused", "wire"),
        (TakesAnyKey, "ignored_auth", "contract"),
    ],
)
def test_azure_forgives_nothing_else(server: type[Reference], check: str, part: str) -> None:
    assert check in violated(judged(server(), Profile.AZURE, parts=(part,)))


def test_every_deviation_has_a_name_and_a_reason() -> None:
    assert len({deviation.name for deviation in DEVIATIONS}) == len(DEVIATIONS) >= 4
    assert all(deviation.about.endswith(".") for deviation in DEVIATIONS)


def test_a_missing_key_is_the_fronts_affair_only_where_no_key_was_given() -> None:
    message = "Missing required header accepted. Got 200 when missing required 'Authorization' header, expected 401"
    seen = {"method": "POST", "path": "/score", "status": 200, "content_type": "", "body": b"", "reply": b"{}"}
    for check in ("missing_required_header", "negative_data_rejection"):
        found = known(Objection(check=check, **seen, message=message, keyed=False))
        assert found is not None
        assert found.name == "key checked in front"
        assert known(Objection(check=check, **seen, message=message, keyed=True)) is None


def test_what_a_loose_document_cannot_support_is_not_applicable(azure_like: Target) -> None:
    results = {result.name: result for result in run_checks(azure_like, parts=("semantic", "wire"))}
    silent = {"every_category_is_scored", "unknown_categories_are_refused", "labels_are_published_classes"}
    silent |= {"labels_have_the_type_of_the_example", "too_many_rows_are_refused", "long_ids_are_refused"}
    assert {name: results[name].passed for name in silent} == dict.fromkeys(silent)
    assert all(results[name].evidence.startswith("not applicable: the document") for name in silent)


def test_a_schema_file_makes_them_apply(azure_like: Target) -> None:
    schema = {
        "properties": {"job": {"enum": list(LEVELS["job"])}, "age": {"minimum": 18, "maximum": 90}},
        "x-classes": list(CLASSES),
    }
    results = {
        result.name: result
        for result in run_checks(
            azure_like, parts=("semantic", "wire"), profile=Profile.AZURE, source=Source(schema=schema)
        )
    }
    for name in ("every_category_is_scored", "unknown_categories_are_refused", "labels_are_published_classes"):
        assert results[name].passed is True, results[name].evidence


class ForgetsAJob(AzureLike):
    def probability(self, row: dict[str, Any]) -> float:
        if row["job"] == "farmer":
            raise Refused(400, "1 problem: unknown job")
        return super().probability(row)


def test_a_category_that_only_the_schema_file_knows_is_tried() -> None:
    source = Source(schema={"properties": {"job": {"enum": list(LEVELS["job"])}}})
    told = judged(ForgetsAJob(), Profile.AZURE, parts=("semantic",), source=source)
    assert "every_category_is_scored" in violated(told)
    assert '"farmer"' in told["every_category_is_scored"].curl
    assert violated(judged(ForgetsAJob(), Profile.AZURE, parts=("semantic",))) == set()


def test_a_whole_document_can_stand_in_for_one_that_is_not_published() -> None:
    class Silent(Reference):
        def swagger(self, request: Request) -> Any:
            raise Refused(404, "No document")

    told = judged(Silent(), Profile.STRICT, parts=("semantic",), source=Source(schema=Reference().document("3.1")))
    assert violated(told) == set()
    assert told["labels_are_published_classes"].passed is True
    assert loose_document()["paths"].keys() == {"/", "/score"}
