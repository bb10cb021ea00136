"""The slipway profile holds an endpoint to docs/scoring-contract.md, line by line."""

import json
from typing import Any

import pytest

from contract_tests.reference import KEY, Reference, Refused, Reply, Request, serving
from core.checks import Profile, catalogue, run_checks
from core.checks.effort import DEPTHS, OURS
from core.checks.judging import judge
from core.checks.probe.probe import Probe
from core.checks.probe.source import fetch
from core.domain.proof import CheckResult, Target

DEPLOYMENT = "azureml-model-deployment"


class Ours(Reference):
    """The reference server with our headers."""

    def respond(self, request: Request) -> Reply:
        if request.headers.get(DEPLOYMENT, "v1") != "v1" and request.path == "/score":
            reply = self.error(404, "There is no such deployment", [])
            reply.headers["x-request-id"] = "x"
        else:
            reply = super().respond(request)
        reply.headers |= self.ours(request)
        return reply

    def ours(self, request: Request) -> dict[str, str]:
        echoed = {
            name: request.headers[name] for name in ("x-ms-client-request-id", "TraceId") if name in request.headers
        }
        return echoed | {
            "x-ms-run-function-failed": "False",
            "x-ms-run-fn-exec-ms": "0.125",
            "x-ms-server-version": "slipway/1",
            DEPLOYMENT: "v1",
        }


class Coarse(Ours):
    def ours(self, request: Request) -> dict[str, str]:
        return super().ours(request) | {"x-ms-run-fn-exec-ms": "0.1"}


class Nameless(Ours):
    def ours(self, request: Request) -> dict[str, str]:
        return super().ours(request) | {"x-ms-server-version": "uvicorn"}


class BlamesTheModel(Ours):
    def ours(self, request: Request) -> dict[str, str]:
        return super().ours(request) | {"x-ms-run-function-failed": "True"}


class ForgetsTraces(Ours):
    def ours(self, request: Request) -> dict[str, str]:
        return {name: value for name, value in super().ours(request).items() if name != "TraceId"}


class CountsRequests(Ours):
    def respond(self, request: Request) -> Reply:
        reply = super().respond(request)
        reply.headers["x-request-id"] = request.headers.get("x-request-id", "1")
        return reply


class NamesNoDeployment(Ours):
    def ours(self, request: Request) -> dict[str, str]:
        return super().ours(request) | {DEPLOYMENT: ""}


class TakesAnyDeployment(Ours):
    def respond(self, request: Request) -> Reply:
        headers = {name: value for name, value in request.headers.items() if name.lower() != DEPLOYMENT}
        return super().respond(Request(request.method, request.target, headers, request.body))


class SaysItInHtml(Ours):
    def route(self, request: Request) -> Reply:
        reply = super().route(request)
        return Reply(200, reply.body, "text/html") if request.path == "/" else reply


class Unprocessable(Ours):
    """422, as FastAPI says it."""

    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        return super().error(422 if status == 400 else status, message, details)


class CountsNothing(Ours):
    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        return super().error(status, "Bad request", details)


class FirstProblemOnly(Ours):
    def error(self, status: int, message: str, details: list[dict[str, Any]]) -> Reply:
        return super().error(status, message, details[:1])


class EchoesAll(Ours):
    def validate(self, rows: list[Any]) -> None:
        try:
            super().validate(rows)
        except Refused as e:
            raise Refused(e.status, f"{e.message} in {json.dumps(rows)}", e.details) from e


class GivesChancesByDefault(Ours):
    def parse(self, body: Any) -> tuple[list[Any], str, str]:
        rows, form, method = super().parse(body)
        return rows, form, method if "method" in body else "predict_proba"


class AbsentIsNotNull(Ours):
    def probability(self, row: dict[str, Any]) -> float:
        return super().probability(row) * (1 if "balance" in row else 0.9)


class OneVersionWithOtherNames(Ours):
    def document(self, version: str) -> dict[str, Any]:
        document = super().document("3.1")
        document["paths"]["/"]["get"]["operationId"] = "health"
        return document


def judged(server: Reference) -> dict[str, CheckResult]:
    """What the checks of our own contract say, without the others."""
    with serving(server) as url:
        target = Target(url, KEY)
        probe = Probe(target, fetch(target), seed=0, depth=DEPTHS["default"], profile=Profile.SLIPWAY)
        results = [judge(check, probe) for check in catalogue(Profile.SLIPWAY) if check.profiles == OURS]
        probe.close()
    return {result.name: result for result in results}


@pytest.mark.contract("R1", "R2", "R3", "H1", "H2", "H3", "E1", "E2", "E4")
def test_what_keeps_our_contract_holds() -> None:
    assert {name: result.evidence for name, result in judged(Ours()).items() if result.passed is not True} == {}


@pytest.mark.parametrize(
    ("server", "check"),
    [
        (Coarse, "replies_carry_our_headers"),
        (Nameless, "replies_carry_our_headers"),
        (BlamesTheModel, "replies_carry_our_headers"),
        (ForgetsTraces, "ids_come_back"),
        (CountsRequests, "ids_come_back"),
        (NamesNoDeployment, "replies_name_their_deployment"),
        (TakesAnyDeployment, "replies_name_their_deployment"),
        (SaysItInHtml, "health_is_plain_text"),
        (Unprocessable, "errors_name_every_problem"),
        (CountsNothing, "errors_name_every_problem"),
        (FirstProblemOnly, "errors_name_every_problem"),
        (EchoesAll, "errors_name_every_problem"),
        (GivesChancesByDefault, "what_is_left_out_means_what_is_promised"),
        (AbsentIsNotNull, "what_is_left_out_means_what_is_promised"),
    ],
)
def test_what_breaks_our_contract_is_found_and_can_be_sent_again(server: type[Reference], check: str) -> None:
    found = judged(server())[check]
    assert found.passed is False
    assert "curl" in found.curl


def test_what_breaks_our_document_is_found() -> None:
    results = judged(OneVersionWithOtherNames())
    assert results["every_version_is_published"].passed is False
    found = results["operations_have_azures_names"]
    assert found.passed is False
    assert "GET / is called 'health', expected 'ServiceHealthCheck'" in found.evidence


def test_strict_asks_for_none_of_it() -> None:
    with serving(Unprocessable()) as url:
        results = run_checks(Target(url, KEY), parts=("wire",))
    assert not any(result.passed is False for result in results)
