"""The gate never refuses a correct endpoint, whatever its columns, categories and labels are called, and however many.

Each day other tables are tried, by the date; `make full` tries more of them. The seed is in the test's name. The gate
at any width takes turns with whole lifecycles, of odd tables and of other people's (tests/lifecycle).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from odd_tables import odd_signature
from turns import TODAY, other_day

from core import gate
from core.checks import Profile, run_checks
from core.domain.endpoint import GateBudget
from core.domain.proof import CheckResult, Target
from core.domain.signature import Signature
from perf.packaged import packaged
from perf.servers import serving

NARROW, WIDE = 12, (70, 400, 1_500, 250, 2_000)
PATIENT = GateBudget(p99_ms=5_000, requests_per_s=1, window_s=0.5, windows=2)
"""Speed is not asked about here."""
UNHURRIED_S = 90.0
"""Thrice what the gate promises: the tests' machine does other things as well."""


def days(count: int, more: int) -> list[object]:
    """The seeds of today, and for `make full` those of the days after."""
    first = TODAY * count
    later = (pytest.param(first + at, marks=pytest.mark.full) for at in range(count, count + more))
    return [*range(first, first + count), *later]


@contextmanager
def served(folder: Path, signature: Signature, seed: int) -> Iterator[tuple[Target, Path]]:
    """A real model folder of this signature behind the real server."""
    model = packaged(folder, signature, seed)
    (folder / "server").mkdir()
    with serving(model, folder / "server") as running:
        yield running.target, model


def wrong(results: tuple[CheckResult, ...]) -> list[str]:
    return [f"{r.name}: {r.evidence}\n{r.curl[:500]}" for r in results if r.passed is False or r.no_verdict]


@pytest.mark.parametrize("seed", days(2, 20))
def test_what_scoring_means_holds_for_odd_columns(tmp_path: Path, seed: int) -> None:
    with served(tmp_path, odd_signature(seed, 1 + seed % NARROW), seed) as (target, _):
        results = run_checks(target, parts=("semantic", "wire"), profile=Profile.SLIPWAY, seed=seed)
    assert wrong(results) == []


@pytest.mark.parametrize("seed", days(1, 8))
def test_the_whole_gate_passes_odd_columns(tmp_path: Path, seed: int) -> None:
    with served(tmp_path, odd_signature(seed, 1 + seed % NARROW), seed) as (target, model):
        parity = model / "parity.npz"
        results = gate.run(target, parity=parity, budget=PATIENT, seed=seed, profile=Profile.SLIPWAY)
    assert wrong(results) == []


@pytest.mark.parametrize("seed", days(0, 5) if other_day(0, 3) else days(1, 4))
def test_the_whole_gate_passes_in_its_time_at_any_width(tmp_path: Path, seed: int) -> None:
    signature = odd_signature(seed, WIDE[seed % len(WIDE)])
    with served(tmp_path, signature, seed) as (target, model):
        began = time.monotonic()
        parity = model / "parity.npz"
        results = gate.run(target, parity=parity, budget=PATIENT, seed=seed, profile=Profile.SLIPWAY)
        lasted_s = time.monotonic() - began
    assert wrong(results) == []
    assert lasted_s < UNHURRIED_S
    tried = {result.name: result.evidence for result in results}
    assert " of " in tried["wrong_types_are_refused"] or len(signature.used) < 300
