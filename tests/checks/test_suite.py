"""The suite judges by the document alone, tells what it saw, and never shows the key."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks as _  # noqa: F401 - enters OpenAPI's checks
from turns import in_turn, on_day, sets_in_turn

from contract_tests.mutants.first import AnyPrefix, AnyScheme, ForgetsACategory
from contract_tests.reference import KEY, Reference, Reply, Request, serving
from core.checks import Source, bodies_for, catalogue, run_checks
from core.checks.effort import Depth, Profile
from core.checks.generated import drive
from core.checks.proofs.contract import ABOUT
from core.domain.errors import NoVerdict, SpecInvalid
from core.domain.proof import CheckResult, Target

FAST = ("semantic", "wire")
RESOURCES = {"use_after_free", "ensure_resource_availability", "object_level_authorization"}
"""Schemathesis's checks of what is created and deleted, which no scoring endpoint has."""


class OnlySwagger2(Reference):
    """A server of an older kind: one version of the document, one form, no published classes."""

    def document(self, version: str) -> dict[str, Any]:
        document = super().document("2")
        del document["paths"]["/score"]["post"]["x-classes"]
        return document


class Open(Reference):
    """Asks for no key, and says so."""

    def authorized(self, header: str) -> bool:
        return True

    def document(self, version: str) -> dict[str, Any]:
        document = super().document(version)
        del document["paths"]["/score"]["post"]["security"]
        return document


class Thresholded(Reference):
    """Says yes from 0.2 on, and publishes that."""

    def label(self, probabilities: list[float]) -> str:
        return "yes" if probabilities[1] >= 0.2 else "no"

    def document(self, version: str) -> dict[str, Any]:
        document = super().document(version)
        document["paths"]["/score"]["post"]["x-threshold"] = 0.2
        return document


class ForgetsItsThreshold(Thresholded):
    def label(self, probabilities: list[float]) -> str:
        return Reference.label(self, probabilities)


class NoDocument(Reference):
    def swagger(self, request: Request) -> Reply:
        return Reply(200, b"<html>", "text/html")


class HangsUp(Reference):
    """Breaks the connection on one of the values that its document allows."""

    def probability(self, row: dict[str, Any]) -> float:
        if row["job"] == "pilot":
            raise ConnectionAbortedError
        return super().probability(row)


@pytest.fixture(scope="module")
def correct() -> Iterator[Target]:
    with serving(Reference()) as url:
        yield Target(url, KEY)


def by_name(results: tuple[CheckResult, ...]) -> dict[str, CheckResult]:
    return {result.name: result for result in results}


def send_again(curl: str, key: str) -> httpx.Response:
    """Do what the curl command says, as a shell with SLIPWAY_KEY set would."""
    cut = re.sub(r"\$\{SLIPWAY_KEY:0:(\d+)\}", lambda found: key[: int(found[1])], curl)
    words = shlex.split(cut.replace("$SLIPWAY_KEY", key))
    said = [words[at + 1] for at, word in enumerate(words) if word == "-H"]
    # `name;` is how curl is told to send a header that is empty.
    headers = dict(each.split(": ", 1) if ": " in each else (each.removesuffix(";"), "") for each in said)
    body = words[words.index("--data-binary") + 1] if "--data-binary" in words else None
    return httpx.request(words[words.index("-X") + 1], words[-1], headers=headers, content=body)


def test_every_check_is_heard_once_in_the_order_of_the_catalogue(correct: Target) -> None:
    heard: list[CheckResult] = []
    results = run_checks(correct, on_check=heard.append)
    assert tuple(heard) == results
    assert [(r.name, r.part) for r in results] == [(check.name, check.part) for check in catalogue(Profile.STRICT)]
    assert all(r.about and r.evidence for r in results)


@on_day(2, 3)
def test_nothing_is_printed_and_the_key_is_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    with serving(AnyPrefix()) as url:
        results = run_checks(Target(url, KEY))
    assert any(r.passed is False for r in results)
    assert capfd.readouterr().out == ""
    assert KEY[:8] not in repr(results)


def test_a_key_that_the_server_echoes_is_not_shown() -> None:
    class Echoes(Reference):
        def score(self, request: Request) -> Reply:
            return Reply(400, json.dumps({"message": f"not with {request.headers.get('Authorization')}"}).encode())

    with serving(Echoes()) as url:
        results = run_checks(Target(url, KEY), parts=FAST)
    assert by_name(results)["errors_leak_nothing"].passed is False
    assert KEY not in repr(results)
    assert any("not with Bearer $SLIPWAY_KEY" in result.evidence for result in results if result.part == "semantic")


@pytest.mark.parametrize("version", in_turn(["2", "3"], 2))
def test_any_version_of_the_document_can_be_judged_by(correct: Target, version: str) -> None:
    results = run_checks(correct, parts=("contract",), source=Source(f"/swagger.json?version={version}"))
    assert results[0].evidence.startswith(f"version {version}.0")
    assert [(result.name, result.evidence) for result in results if result.passed is False] == []


def test_the_settings_file_leaves_no_check_and_no_phase_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_KEY", KEY)
    config = SchemathesisConfig.from_path(drive.SETTINGS)
    phases = config.projects.default.phases
    assert all(getattr(phases, name).enabled for name in ("examples", "coverage", "fuzzing", "stateful"))
    assert {mode.name for mode in config.projects.default.generation.modes} == {"POSITIVE", "NEGATIVE"}
    assert config.projects.default.continue_on_failure
    tried = {name for name in CHECKS.get_all_names() if getattr(config.projects.default.checks, name).enabled}
    assert tried == set(CHECKS.get_all_names()) == set(ABOUT)


def test_the_same_seed_sends_the_same_rows(correct: Target) -> None:
    with serving(ForgetsACategory()) as url:
        first, again, other = (
            by_name(run_checks(Target(url, KEY), seed=seed, parts=("semantic",)))["every_category_is_scored"].curl
            for seed in (3, 3, 4)
        )
    assert first == again != other


@pytest.mark.parametrize(
    ("mutant", "check", "status"),
    sets_in_turn(
        [
            (ForgetsACategory, "every_category_is_scored", 400),
            (AnyScheme, "other_schemes_are_refused", 200),
            (AnyPrefix, "prefixes_of_the_key_are_refused", 200),
        ],
        3,
    ),
)
def test_the_curl_of_a_violation_shows_it_again(mutant: type[Reference], check: str, status: int) -> None:
    with serving(mutant()) as url:
        found = by_name(run_checks(Target(url, KEY), parts=FAST))[check]
        assert found.passed is False
        assert send_again(found.curl, KEY).status_code == status


def test_schemathesis_violations_can_be_sent_again_too() -> None:
    with serving(ForgetsACategory()) as url:
        found = by_name(run_checks(Target(url, KEY), parts=("contract",)))["positive_data_acceptance"]
        assert found.passed is False
        assert "$SLIPWAY_KEY" in found.curl
        assert send_again(found.curl.replace(" -d ", " --data-binary "), KEY).status_code == 400


@on_day(0, 3)
def test_a_broken_connection_is_a_violation_with_its_request(capfd: pytest.CaptureFixture[str]) -> None:
    with serving(HangsUp()) as url:
        results = by_name(run_checks(Target(url, KEY)))
    assert results["every_category_is_scored"].passed is False
    assert "connection broke" in results["every_category_is_scored"].evidence
    assert results["every_request_is_answered"].passed is not True
    capfd.readouterr()  # the server's own traceback


@on_day(2, 3)
def test_what_the_document_does_not_say_is_not_applicable() -> None:
    with serving(OnlySwagger2()) as url:
        results = by_name(run_checks(Target(url, KEY)))
    silent = {name for name, result in results.items() if result.passed is None}
    assert silent - RESOURCES == {
        "labels_are_published_classes",
        "labels_have_the_type_of_the_example",
        "required_headers_come",
        "forms_agree",
        "response_headers_conformance",
        "column_order_is_irrelevant",
        "swapped_columns_take_their_values_along",
        "forms_refuse_the_same",
    }
    assert all(results[name].evidence.startswith("not applicable: the document") for name in silent)
    assert not any(result.passed is False for result in results.values())


@pytest.mark.parametrize(("server", "holds"), [(Thresholded, True), (ForgetsItsThreshold, False)])
def test_labels_are_judged_by_the_published_threshold(server: type[Reference], holds: bool) -> None:
    with serving(server()) as url:
        results = by_name(run_checks(Target(url, KEY), parts=("semantic",)))
    assert results["predict_agrees_with_probabilities"].passed is holds


@on_day(1, 3)
def test_an_endpoint_without_keys_is_not_blamed_for_it() -> None:
    with serving(Open()) as url:
        results = by_name(run_checks(Target(url)))
    about_keys = {name for name in results if "key" in name and "order" not in name} | {"ignored_auth"}
    about_keys |= {"other_schemes_are_refused"}
    about_keys -= {"odd_keys_are_no_fault", "open_operations_need_no_key"}  # keys of objects, and what asks for none
    assert {name: results[name].passed for name in about_keys} == dict.fromkeys(about_keys)
    assert not any(result.passed is False for result in results.values())


def test_an_unusable_document_is_one_violation_and_nothing_else_is_judged() -> None:
    with serving(NoDocument()) as url:
        document, *others = run_checks(Target(url, KEY), parts=FAST)
    assert (document.name, document.passed) == ("document_is_usable", False)
    assert "not JSON" in document.evidence
    assert url in document.curl
    assert {(other.passed, other.evidence) for other in others} == {
        (None, "not applicable: there is no usable document")
    }


def test_nothing_that_listens_is_no_verdict() -> None:
    with serving(Reference()) as url:
        pass
    with pytest.raises(NoVerdict, match=f"Nothing answers at {url}"):
        run_checks(Target(url, KEY))


def test_unknown_depths_and_parts_are_refused(correct: Target) -> None:
    with pytest.raises(SpecInvalid, match="deepest"):
        run_checks(correct, depth="deepest")
    with pytest.raises(SpecInvalid, match="luck"):
        run_checks(correct, parts=("luck",))


def test_load_bodies_are_valid_and_differ(correct: Target) -> None:
    bodies = bodies_for(correct, 3, count=20)
    assert len(set(bodies)) == 20
    for body in bodies:
        assert len(json.loads(body)["data"]) == 3
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        assert httpx.post(f"{correct.url}/score", content=body, headers=headers).status_code == 200
    assert bodies == bodies_for(correct, 3, count=20)


def test_load_bodies_need_a_document_that_names_columns() -> None:
    with serving(NoDocument()) as url, pytest.raises(NoVerdict, match="not JSON"):
        bodies_for(Target(url, KEY), 2)


def test_schemathesis_is_loaded_only_when_it_runs() -> None:
    lines = (
        "import sys",
        "import core.checks, core.gate, core.loadtest",
        "loaded = {'schemathesis', 'hypothesis', 'requests', 'pandas', 'sklearn'} & set(sys.modules)",
        "sys.exit(f'loaded: {loaded}' if loaded else 0)",
    )
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, timeout=60)


@on_day(0, 3)
def test_generated_requests_keep_to_their_seconds(correct: Target) -> None:
    from core.checks.generated import drive
    from core.checks.probe.probe import Probe
    from core.checks.suite import fetch

    probe = Probe(correct, fetch(correct), seed=0, depth=Depth(rows=2, examples=10_000, generated_s=1.0))
    findings = drive.drive(probe)
    probe.close()
    assert 0 < findings.requests < 10_000
    assert not findings.unanswered
    assert not findings.unreadable


def test_a_column_that_the_document_calls_optional_may_be_left_out() -> None:
    class Lenient(Reference):
        def document(self, version: str) -> dict[str, Any]:
            return json.loads(json.dumps(super().document(version)).replace('"required": ["age", ', '"required": ['))

        def validate(self, rows: list[Any]) -> None:
            for row in rows:
                if isinstance(row, dict):
                    row.setdefault("age", 40)
            super().validate(rows)

    with serving(Lenient()) as url:
        results = by_name(run_checks(Target(url, KEY), parts=("wire",)))
    assert results["missing_columns_are_refused"].evidence.startswith("each of 2 required columns")
    assert not any(result.passed is False for result in results.values())


@on_day(1, 3)
def test_a_path_before_the_root_is_kept() -> None:
    """Azure puts an endpoint's routes below a path of its own."""

    class BelowAPath(Reference):
        def respond(self, request: Request) -> Reply:
            if not request.path.startswith("/api/v1/service/e"):
                return Reply(404, b'{"message": "no such service"}')
            target = request.target.removeprefix("/api/v1/service/e")
            return super().respond(Request(request.method, target, request.headers, request.body))

    with serving(BelowAPath()) as url:
        results = run_checks(Target(f"{url}/api/v1/service/e", KEY))
    assert [f"{r.name}: {r.evidence}" for r in results if r.passed is False or r.no_verdict] == []
    assert urlsplit(url).path == ""
