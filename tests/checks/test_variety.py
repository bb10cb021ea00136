"""Few different answers are a model's own affair; one to all rows is a fault, unless parity shows that it is right."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from turns import in_turn, on_day

from contract_tests.reference import KEY, Reference, serving
from core import gate
from core.checks import run_checks
from core.contract import samples
from core.domain.endpoint import GateBudget
from core.domain.proof import CheckResult, Target

VARY = ("probabilities_vary", "labels_vary")
QUICK = GateBudget(p99_ms=2_000, requests_per_s=1, window_s=0.2, windows=1)


class Stump(Reference):
    """One split: two answers."""

    def probability(self, row: dict[str, Any]) -> float:
        return 0.2 if row["age"] < 40 else 0.7


class Constant(Reference):
    """What a weak table may teach."""

    def probability(self, row: dict[str, Any]) -> float:
        return 0.2


class LabelsAreConstant(Reference):
    def label(self, probabilities: list[float]) -> str:
        return "no"


def judged(server: Reference) -> dict[str, CheckResult]:
    with serving(server) as url:
        return {result.name: result for result in run_checks(Target(url, KEY), parts=("semantic",))}


@pytest.mark.parametrize("seed", in_turn(range(3), 3))
def test_two_different_answers_are_enough(seed: int) -> None:
    with serving(Stump()) as url:
        results = run_checks(Target(url, KEY), parts=("semantic",), seed=seed)
    assert [result.evidence for result in results if result.passed is False] == []
    assert "2 distinct answers" in next(result.evidence for result in results if result.name == VARY[0])


def test_one_answer_to_rows_from_everywhere_is_a_violation_where_nothing_shows_that_it_is_right() -> None:
    found = judged(Constant())
    assert found[VARY[0]].passed is False
    assert "rows from all over what the document allows all got [0.8, 0.2]" in found[VARY[0]].evidence
    assert found[VARY[1]].passed is None


def test_labels_that_do_not_follow_are_found_by_the_check_of_labels() -> None:
    found = judged(LabelsAreConstant())
    assert found["predict_agrees_with_probabilities"].passed is False
    assert found[VARY[0]].passed is True


@pytest.mark.parametrize("server", in_turn([Stump, Constant], 2, lambda server: server.__name__))
def test_the_gate_takes_the_few_answers_that_parity_proves(server: type[Reference], tmp_path: Path) -> None:
    rows = [{"age": 20 + at, "balance": None, "job": "pilot", "city": "Rome", "member": True} for at in range(40)]
    body, trained = samples.body(rows), np.array(server().probabilities(rows))
    np.savez(tmp_path / "parity.npz", body=np.frombuffer(body, np.uint8), probabilities=trained)
    with serving(server()) as url:
        results = gate.run(Target(url, KEY), parity=tmp_path / "parity.npz", budget=QUICK)
    assert [f"{result.name}: {result.evidence}" for result in results if result.passed is False] == []


@on_day(2, 3)
def test_the_gate_of_a_constant_server_whose_model_is_none_fails(tmp_path: Path) -> None:
    rows = [{"age": 20 + at, "balance": None, "job": "pilot", "city": "Rome", "member": True} for at in range(40)]
    body, trained = samples.body(rows), np.array(Reference().probabilities(rows))
    np.savez(tmp_path / "parity.npz", body=np.frombuffer(body, np.uint8), probabilities=trained)
    with serving(Constant()) as url:
        results = gate.run(Target(url, KEY), parity=tmp_path / "parity.npz", budget=QUICK)
    assert {"parity", VARY[0]} <= {result.name for result in results if result.passed is False}
