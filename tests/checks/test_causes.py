"""One cause is one violation, told with how many checks met it; what it hides is not judged, and all else is."""

import json
import threading
from contextlib import ExitStack
from typing import Any

import pytest
from azure_like import AutoMl2021
from turns import on_day, sets_in_turn

from contract_tests.mutants.first import Drifts, DropsTheLastRow
from contract_tests.reference import KEY, LooseReference, Reference, Refused, Reply, Request, serving
from contract_tests.styles import Churn
from core.checks import Profile, run_checks
from core.checks.probe import client
from core.domain.proof import CheckResult, Target

HIDDEN = "not applicable: see "


def judged(server: Reference, **given: Any) -> tuple[CheckResult, ...]:
    with serving(server) as url:
        return run_checks(Target(url, KEY), **given)


def violated(results: tuple[CheckResult, ...]) -> dict[str, str]:
    return {result.name: result.evidence for result in results if result.passed is False}


class WrapsTwice(Reference):
    def wrap(self, answers: list[Any], form: str) -> Any:
        return json.dumps(super().wrap(answers, form))


class SaysText(Reference):
    """Every answer is sent as text."""

    def score(self, request: Request) -> Reply:
        reply = super().score(request)
        return Reply(reply.status, reply.body, "text/plain")


class AnswersElsewhere(Reference):
    def wrap(self, answers: list[Any], form: str) -> Any:
        return {"meta": {"rows": len(answers)}, "outcome": answers}


class AsksNobody(Reference):
    def authorized(self, header: str) -> bool:
        return True


class Faulty(Reference):
    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        raise Refused(500, "The model is gone")


class NoJson(Reference):
    def score(self, request: Request) -> Reply:
        reply = super().score(request)
        return Reply(reply.status, b"yes, no, yes")


class Elsewhere(Reference):
    """Scores at another path than it says."""

    def respond(self, request: Request) -> Reply:
        return Reply(404, b'{"message": "no"}') if request.path == "/score" else super().respond(request)


class ErrorsAsPages(Reference):
    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        headers = super().error(status, message, details).headers
        return Reply(status, f"<h1>{status}</h1>".encode(), "text/html", headers)


class NoVersions(Churn):
    """Never sends the header that its document requires on every answer."""

    def versions(self, status: int) -> dict[str, str]:
        return {}


@pytest.mark.parametrize(
    ("server", "name", "words"),
    sets_in_turn(
        [
            (NoVersions, "response_headers_conformance", "X-Bento-Version"),
            (WrapsTwice, "replies_are_encoded_once", "encoded twice"),
            (SaysText, "content_type_conformance", "text/plain"),
            (AnswersElsewhere, "response_schema_conformance", "outcome"),
            (AsksNobody, "ignored_auth", "Expected 401"),
            (ErrorsAsPages, "content_type_conformance", "text/html"),
        ],
        6,
    ),
)
def test_one_cause_is_one_violation(server: type[Reference], name: str, words: str) -> None:
    results = judged(server())
    assert violated(results).keys() == {name}, violated(results)
    told = violated(results)[name]
    assert words in told
    others = [result.name for result in results if result.evidence.startswith(f"{HIDDEN}{name}")]
    assert told.endswith(f"(one cause, met by {len(others) + 1} checks)")
    assert others


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (Faulty, "500"),
        (NoJson, "not JSON"),
        (DropsTheLastRow, "answers came back"),
        (Drifts, "The same request got a different answer the second time"),
    ],
)
def test_of_the_meaning_of_answers_one_cause_is_one_violation(server: type[Reference], words: str) -> None:
    results = judged(server(), parts=("semantic",))
    (told,) = violated(results).values()
    assert words in told
    assert sum(result.evidence.startswith(HIDDEN) for result in results) >= 5


@on_day(0, 3)
def test_two_causes_are_two_violations() -> None:
    class Both(WrapsTwice):
        def probabilities(self, rows: list[dict[str, Any]]) -> list[list[float]]:
            return super().probabilities(rows)[::-1]

    found = violated(judged(Both()))
    assert "replies_are_encoded_once" in found
    assert "batch_equals_single" in found


@on_day(1, 3)
def test_a_service_of_2021_has_one_known_deviation_in_the_shape_of_its_replies() -> None:
    results = judged(AutoMl2021(), profile=Profile.AZURE)
    assert violated(results) == {}
    named = [result.name for result in results if "double-encoded reply" in result.evidence]
    assert named == ["response_schema_conformance"]
    assert {"order_is_kept", "labels_vary", "threads_do_not_mix"} <= {r.name for r in results if r.passed}


@on_day(2, 3)
def test_the_same_service_breaks_its_word_about_replies_once_under_strict() -> None:
    found = violated(judged(AutoMl2021(), parts=("semantic", "contract")))
    assert "replies_are_encoded_once" in found
    assert not {"response_schema_conformance", "answers_are_found", "order_is_kept"} & found.keys()


def test_where_no_valid_row_is_scored_nothing_is_made_of_other_refusals() -> None:
    results = judged(Elsewhere())
    found = violated(results)
    assert len([evidence for evidence in found.values() if "404" in evidence]) == 1, found
    passed = {result.name for result in results if result.passed and result.part in ("semantic", "wire")}
    assert not passed


def test_a_server_that_ends_in_the_middle_is_told_once() -> None:
    class Ending(Reference):
        ended = False

        def respond(self, request: Request) -> Reply:
            if self.ended:
                raise ConnectionAbortedError
            return super().respond(request)

        def hear(self, result: CheckResult) -> None:
            if result.name == "order_is_kept" and not self.ended:
                self.ended = True
                stack.close()

    server = Ending()
    with ExitStack() as stack:
        url = stack.enter_context(serving(server))
        results = run_checks(Target(url, KEY), parts=("semantic", "wire"), on_check=server.hear)
    assert violated(results) == {}
    (told,) = (result.evidence for result in results if result.no_verdict)
    assert told.startswith(f"no verdict: Nothing answers at {url}")
    assert sum(result.evidence.startswith(HIDDEN) for result in results) > 40


def test_a_server_that_a_generated_request_ends_is_one_violation() -> None:
    class Mortal(Reference):
        """A request that is not JSON ends it."""

        ended = False

        def respond(self, request: Request) -> Reply:
            self.ended |= request.path == "/score" and not request.body.startswith(b"{")
            if self.ended:
                raise ConnectionAbortedError
            return super().respond(request)

    results = judged(Mortal())
    (told,) = violated(results).values()
    assert "one cause, met by" in told
    assert not [result.name for result in results if result.no_verdict]


def test_a_server_that_answers_nothing_any_more_is_not_waited_for_by_every_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "HANG_S", 1.0)
    going_on = threading.Event()

    class Hanging(Reference):
        hangs = False

        def respond(self, request: Request) -> Reply:
            if self.hangs:
                going_on.wait(timeout=60)
            return super().respond(request)

        def hear(self, result: CheckResult) -> None:
            self.hangs |= result.name == "order_is_kept"

    server = Hanging()
    with serving(server) as url:
        results = run_checks(Target(url, KEY), parts=("semantic", "wire"), on_check=server.hear)
        going_on.set()
    (told,) = violated(results).values()
    assert "No answer within" in told
    assert sum(result.evidence.startswith(HIDDEN) for result in results) > 40


def test_rows_that_a_loose_document_cannot_describe_are_no_verdict() -> None:
    class Particular(LooseReference):
        def accepts(self, name: str, kind: str, value: Any) -> bool:
            return super().accepts(name, kind, value) and (name != "city" or value == "Rome")

    results = judged(Particular(), parts=("semantic", "wire"))
    assert violated(results) == {}
    (told,) = (result.evidence for result in results if result.no_verdict)
    assert "--schema" in told
