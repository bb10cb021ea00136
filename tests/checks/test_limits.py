"""A limit that is met is no fault; what is refused only because everything is, is no merit."""

import time
from typing import Any

import pytest

from contract_tests.limited import limited
from contract_tests.reference import KEY, Reference, Refused, Reply, Request, serving
from core.checks import run_checks
from core.checks.effort import DEPTHS
from core.checks.probe import client
from core.checks.probe.probe import Probe
from core.checks.probe.source import fetch
from core.domain.errors import NoVerdict
from core.domain.proof import CheckResult, Target
from core.loadtest.busy import Patience


class RefusesEverything(Reference):
    def validate(self, rows: list[Any]) -> None:
        raise Refused(400, "No")


class AlwaysBusy(Reference):
    def score(self, request: Request) -> Reply:
        reply = self.error(429, "Later", [])
        reply.headers["Retry-After"] = "0"
        return reply


class BusyForPilots(Reference):
    """Says that it is busy where it cannot cope with one category."""

    def probability(self, row: dict[str, Any]) -> float:
        if row["job"] == "pilot":
            raise Refused(429, "Later")
        return super().probability(row)


class RefusesTwoRows(Reference):
    def count(self, rows: list[Any]) -> None:
        if len(rows) > 1:
            raise Refused(413, "Too many")


class HangsOnLargeBodies(Reference):
    def weigh(self, body: bytes) -> None:
        if len(body) > 2**19:
            time.sleep(2)


class TakesAnyLength(Reference):
    """Its document names no size, and it has none."""

    def weigh(self, body: bytes) -> None:
        """Takes them all."""

    def document(self, version: str) -> dict[str, Any]:
        published = super().document(version)
        published["paths"]["/score"]["post"]["description"] = "Scores."
        return published


def judged(server: Reference, *parts: str) -> dict[str, CheckResult]:
    with serving(server) as url:
        return {result.name: result for result in run_checks(Target(url, KEY), parts=parts)}


def test_where_nothing_is_accepted_refusals_prove_nothing() -> None:
    results = judged(RefusesEverything(), "semantic", "wire")
    wire = [result for result in results.values() if result.part == "wire"]
    assert [result.name for result in wire if result.passed is not None] == []
    (broken,) = (result for result in results.values() if result.passed is False)
    assert "Valid rows were rejected" in broken.evidence
    assert {result.evidence for result in wire} == {f"not applicable: see {broken.name}, which met the same"}


def test_an_endpoint_that_stays_busy_is_not_judged() -> None:
    with pytest.raises(NoVerdict, match="is still too busy: 429"):
        judged(AlwaysBusy(), "semantic")


def test_one_valid_request_that_is_always_told_to_come_again_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PATIENCE", Patience(pause_s=0.0))
    found = judged(BusyForPilots(), "semantic")["every_category_is_scored"]
    assert found.passed is False
    assert "429" in found.evidence


@pytest.mark.parametrize(("size_kb", "rows"), [(64, 500), (256, 1000)])
def test_so_many_rows_are_sent_as_are_taken(size_kb: int, rows: int) -> None:
    with serving(limited(size_kb, documented=False)()) as url:
        target = Target(url, KEY)
        probe = Probe(target, fetch(target), seed=0, depth=DEPTHS["default"])
        assert (len(probe.sample(40)), len(probe.sample(1_000))) == (40, rows)
        probe.close()


def test_a_few_rows_have_to_be_taken() -> None:
    failed = [result for result in judged(RefusesTwoRows(), "semantic").values() if result.passed is False]
    assert failed
    assert all("413" in result.evidence for result in failed)


@pytest.mark.parametrize("documented", [True, False])
def test_a_body_that_is_too_large_is_answered_in_time(documented: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Untold(HangsOnLargeBodies, TakesAnyLength):
        """Nor does its document say how much it takes."""

    monkeypatch.setattr(client, "HANG_S", 1.0)
    found = judged(HangsOnLargeBodies() if documented else Untold(), "wire")["oversized_bodies_are_refused"]
    assert found.passed is False
    assert "No answer" in found.evidence
    assert "base64 -d | gunzip" in found.curl


def test_a_server_that_takes_any_length_is_right_where_no_length_is_told() -> None:
    found = judged(TakesAnyLength(), "wire")["oversized_bodies_are_refused"]
    assert found.passed
    assert found.evidence == "1,048,577 bytes: 200, 17,825,792 bytes: 200; the next request: 200"
