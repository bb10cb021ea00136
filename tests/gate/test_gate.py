"""The gate says what it measured, and never passes what it could not see."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from turns import sets_in_turn

from contract_tests.reference import KEY, Reference, Refused, Reply, Request, serving
from core import gate, loadtest
from core.checks import Profile, bodies_for, catalogue
from core.contract import samples
from core.domain.endpoint import GateBudget
from core.domain.errors import SpecInvalid
from core.domain.proof import CheckResult, LoadSpec, Target

pytestmark = pytest.mark.usefixtures("less_effort")

ROWS = [
    {"age": 20 + n, "balance": 10.0 * n, "job": ("admin", "pilot")[n % 2], "city": "Rome", "member": n % 3 == 0}
    for n in range(50)
]
BODY = samples.body(ROWS)
QUICK = GateBudget(p99_ms=2_000, requests_per_s=1, window_s=0.2, windows=2)


class Undocumented(Reference):
    """Parity and shadow need no document; without one the other parts end at once."""

    def swagger(self, request: Request) -> Reply:
        raise Refused(404, "No document")


class Another(Undocumented):
    """The server of another model than the one that was trained, in one row of fifty."""

    def probability(self, row: dict[str, Any]) -> float:
        return super().probability(row) + (1e-5 if row["age"] == 33 else 0.0)


class NoProbabilities(Undocumented):
    def answers(self, rows: list[dict[str, Any]], method: str) -> list[Any]:
        return super().answers(rows, "predict")


class RefusesPilots(Undocumented):
    def validate(self, rows: list[Any]) -> None:
        if any(row["job"] == "pilot" for row in rows):
            raise Refused(400, "No pilots")
        super().validate(rows)


class AnswersNonsense(Undocumented):
    def respond(self, request: Request) -> Reply:
        reply = super().respond(request)
        return replace(reply, body=b"<html>") if request.path == "/score" else reply


class DoubleEncoded(Undocumented):
    def wrap(self, answers: list[Any], form: str) -> Any:
        return json.dumps(super().wrap(answers, form))


@pytest.fixture(scope="module")
def parity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "parity.npz"
    probabilities = np.array(Reference().probabilities(ROWS))
    np.savez(path, body=np.frombuffer(BODY, np.uint8), probabilities=probabilities)
    return path


@pytest.fixture(scope="module")
def correct() -> Iterator[Target]:
    with serving(Reference()) as url:
        yield Target(url, KEY)


@pytest.fixture(scope="module")
def candidate() -> Iterator[Target]:
    """A correct server for the gate's own parts alone."""
    with serving(Undocumented()) as url:
        yield Target(url, KEY)


def run(target: Target, **given: Any) -> dict[str, CheckResult]:
    """The gate's own parts; those of the suite have tests of their own."""
    heard: list[CheckResult] = []
    results = gate.run(target, **({"parity": None, "budget": QUICK} | given), on_check=heard.append)
    assert tuple(heard) == results
    return {result.name: result for result in results}


def test_a_correct_endpoint_passes_every_part_and_the_measured_values_are_told(correct: Target, parity: Path) -> None:
    results = run(correct, parity=parity)
    assert list(results) == ["parity", *(check.name for check in catalogue(Profile.STRICT)), "performance", "shadow"]
    assert not any(result.passed is False for result in results.values())
    assert results["parity"].passed is results["performance"].passed is True
    assert results["shadow"].evidence == "not applicable: first deployment"
    assert results["parity"].evidence == "50 rows: the largest difference is 0 (limit 1e-06)"
    assert not any(result.no_verdict for result in results.values())
    assert all(result.about for result in results.values())
    evidence = results["performance"].evidence
    assert "best of 1 windows (at most 2, until one holds) of 0.2 s, 2 rows a request, 4 clients: p99 " in evidence
    assert "(budget 2000)" in evidence
    assert "requests/s (budget 1), none failed; all windows: " in evidence


@pytest.mark.parametrize(
    ("budget", "words"),
    sets_in_turn(
        [
            (GateBudget(p99_ms=0.001, requests_per_s=1, window_s=0.2, windows=1), "ms (budget 0.001)"),
            (GateBudget(p99_ms=2_000, requests_per_s=1e6, window_s=0.2, windows=1), "requests/s (budget 1e+06)"),
        ],
        2,
    ),
)
def test_a_budget_that_is_not_met_fails(correct: Target, budget: GateBudget, words: str) -> None:
    result = run(correct, budget=budget)["performance"]
    assert result.passed is False
    assert words in result.evidence
    assert "$SLIPWAY_KEY" in result.curl
    assert KEY not in result.curl


def test_the_load_can_be_repeated_against_the_candidate_and_not_the_live_deployment(correct: Target) -> None:
    headers = {"azureml-model-deployment": "it's green"}
    again = run(Target(correct.url, KEY, headers))["performance"].curl.splitlines()[-1]
    words = shlex.split(again)
    sent = [words[at + 1] for at, word in enumerate(words) if word == "-H"]
    assert sent == ["azureml-model-deployment: it's green", "Authorization: Bearer $SLIPWAY_KEY"]


def test_one_row_that_differs_is_found_and_shown_alone(parity: Path) -> None:
    with serving(Another()) as url:
        result = run(Target(url, KEY), parity=parity)["parity"]
    assert result.passed is False
    assert "1e-05 (limit 1e-06); row 13 got" in result.evidence
    assert '"age": 33' in result.curl
    assert '"age": 34' not in result.curl
    assert '"method": "predict_proba"' in result.curl


def test_a_server_without_probabilities_fails_parity(parity: Path) -> None:
    with serving(NoProbabilities()) as url:
        result = run(Target(url, KEY), parity=parity)["parity"]
    assert result.passed is False
    assert result.evidence.startswith("Expected answers of shape (50, 2), got 200 ")


def test_a_double_encoded_reply_is_compared_all_the_same(parity: Path) -> None:
    with serving(DoubleEncoded()) as url:
        assert run(Target(url, KEY), parity=parity)["parity"].passed is True


def test_a_parity_file_that_cannot_be_read_gives_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "parity.npz").write_bytes(b"PK torn")
    with serving(Undocumented()) as url:
        result = run(Target(url, KEY), parity=tmp_path / "parity.npz")["parity"]
    assert (result.passed, result.no_verdict) == (None, True)
    assert result.evidence.startswith("no verdict: parity.npz cannot be read")


def test_an_endpoint_that_is_not_there_gives_no_verdict_in_any_part(parity: Path) -> None:
    with serving(Reference()) as url:
        pass
    results = run(Target(url, KEY), parity=parity, shadow=gate.Shadow(Target(url, KEY), [BODY], "collected requests"))
    assert set(results) == {"parity", "contract", "performance", "shadow"}
    assert all(result.no_verdict and result.passed is None for result in results.values())
    assert all("Nothing answers at" in result.evidence for result in results.values())


def test_shadow_reports_other_answers_and_passes(correct: Target) -> None:
    bodies = [samples.body([row], method="predict_proba") for row in ROWS]
    with serving(Another()) as url:
        result = run(Target(url, KEY), shadow=gate.Shadow(correct, bodies, "rows of data version 1"))["shadow"]
    assert result.passed is True
    assert result.evidence.startswith("50 requests (rows of data version 1) replayed: 1 answered differently")


def test_shadow_compares_what_was_answered_however_it_is_encoded(correct: Target) -> None:
    with serving(DoubleEncoded()) as url:
        result = run(Target(url, KEY), shadow=gate.Shadow(correct, [BODY], "collected requests"))["shadow"]
    assert result.evidence.startswith("1 requests (collected requests) replayed: 0 answered differently")


def test_shadow_fails_when_the_candidate_refuses_what_the_live_one_answers(correct: Target) -> None:
    with serving(RefusesPilots()) as url:
        result = run(Target(url, KEY), shadow=gate.Shadow(correct, [BODY], "collected requests"))["shadow"]
    assert result.passed is False
    assert 'the candidate says 400 {"message": "No pilots"' in result.evidence
    assert "pilot" in result.curl


@pytest.mark.parametrize("key", [KEY, "wrong"])
def test_where_the_live_one_refuses_every_request_there_is_no_verdict(candidate: Target, key: str) -> None:
    pilots = [samples.body([row]) for row in ROWS if row["job"] == "pilot"]
    with serving(RefusesPilots()) as url:
        result = run(candidate, shadow=gate.Shadow(Target(url, key), pilots, "collected requests"))["shadow"]
    assert (result.passed, result.no_verdict) == (None, True)
    status = 400 if key == KEY else 401
    assert "no verdict: 0 of 25 requests (collected requests) could be compared" in result.evidence
    assert f"the live deployment rejects them (25 times {status}), as with {status} " in result.evidence


@pytest.mark.parametrize(("bodies", "compared"), [(0, 0), (30, 9), (30, 10), (4, 3), (4, 4), (1, 1)])
def test_too_few_comparisons_are_no_verdict(candidate: Target, bodies: int, compared: int) -> None:
    answered, refused = ([{**ROWS[0], "job": job}] for job in ("admin", "pilot"))
    replayed = [samples.body(answered)] * compared + [samples.body(refused)] * (bodies - compared)
    with serving(RefusesPilots()) as url:
        result = run(candidate, shadow=gate.Shadow(Target(url, KEY), replayed, "collected requests"))["shadow"]
    enough = compared >= min(bodies, 10) > 0
    assert (result.passed, result.no_verdict) == ((True, False) if enough else (None, True))
    assert f"{compared} " in result.evidence
    if (bodies, compared) == (30, 10):
        assert "20 more left out, the live deployment rejects them (20 times 400)" in result.evidence


def test_a_live_deployment_that_answers_nonsense_is_no_fault_of_the_candidate(candidate: Target) -> None:
    with serving(AnswersNonsense()) as url:
        result = run(candidate, shadow=gate.Shadow(Target(url, KEY), [BODY], "collected requests"))["shadow"]
    assert (result.passed, result.no_verdict) == (None, True)
    assert "no comparison with the live deployment" in result.evidence


class Elsewhere(Reference):
    """A deployment elsewhere: behind a header, at another path, and busy at first."""

    busy = 3

    def respond(self, request: Request) -> Reply:
        if request.headers.get("azureml-model-deployment") != "blue":
            return self.error(404, "There is no such deployment", [])
        if request.path == "/score":
            return self.error(404, "Rows are scored at /invocations", [])
        if request.path == "/invocations":
            request = replace(request, target=request.target.replace("/invocations", "/score"))
        return super().respond(request)

    def document(self, version: str) -> dict[str, Any]:
        published = super().document(version)
        published["paths"] = {("/invocations" if at == "/score" else at): it for at, it in published["paths"].items()}
        return published

    def score(self, request: Request) -> Reply:
        self.busy -= 1
        if self.busy >= 0:
            return Reply(429, b'{"message": "Later", "details": []}', headers={"Retry-After": "0"})
        return super().score(request)


@pytest.mark.parametrize(("form", "key"), sets_in_turn([("v2", "Inputs"), ("mlflow", "input_data")], 2))
def test_a_deployment_elsewhere_is_proven_by_its_header_path_and_form_and_when_it_is_busy_at_first(
    parity: Path, form: str, key: str
) -> None:
    with serving(Elsewhere()) as url:
        target = Target(url, KEY, {"azureml-model-deployment": "blue"}, path="/invocations", form=form)
        bodies = [samples.body([row], form) for row in ROWS[:12]]
        shadow = gate.Shadow(target, bodies, "collected requests")
        results = run(target, parity=parity, shadow=shadow)
    assert {name: each.evidence for name, each in results.items() if each.passed is False or each.no_verdict} == {}
    assert results["parity"].passed is results["performance"].passed is results["shadow"].passed is True
    for name in ("parity", "performance"):
        assert results[name].curl.endswith(f"{url}/invocations")
        assert f'"{key}"' in results[name].curl
        assert "azureml-model-deployment: blue" in results[name].curl


def test_a_candidate_that_is_busy_while_it_is_loaded_has_not_failed(correct: Target) -> None:
    elsewhere = Elsewhere()
    with serving(elsewhere) as url:
        target = Target(url, KEY, {"azureml-model-deployment": "blue"}, path="/invocations", form="v2")
        elsewhere.busy = 4  # one client could meet them all, and a fifth try is its last
        report = loadtest.run(LoadSpec(target, 1, 2, warmup_s=0, max_requests=20), bodies_for(target, 2, count=5))
    assert (report.requests, report.failed, report.put_off) == (20, 0, 4)


def test_an_unknown_depth_is_refused(correct: Target) -> None:
    with pytest.raises(SpecInvalid, match="deepest"):
        gate.run(correct, parity=None, budget=QUICK, depth="deepest")
