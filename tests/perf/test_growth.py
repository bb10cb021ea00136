"""How time grows: exponents of what is known to grow so, and what is said of them."""

import json
import math
import subprocess
import sys
from collections.abc import Callable

import pytest

from core.settings import CHECKOUT
from perf.growth.fit import LIMIT, Growth, growth, times_of
from perf.growth.report import as_json, markdown, verdict

SIZES = (1_000, 4_000, 16_000, 64_000)


class Work:
    """A clock that only work moves: `cost` gives the seconds that a size takes."""

    def __init__(self, cost: Callable[[int], float]) -> None:
        self.now, self.cost, self.order = 0.0, cost, list[int]()

    def clock(self) -> float:
        return self.now

    def do(self, size: int) -> None:
        self.order.append(size)
        self.now += self.cost(size)


def measured(cost: Callable[[int], float], *, hot: bool = True) -> Growth:
    work = Work(cost)
    calls = {size: lambda size=size: work.do(size) for size in SIZES}
    return growth("work", "items", times_of(calls, work.clock, budget_s=1.0), hot=hot)


@pytest.mark.parametrize(
    ("cost", "exponent", "within"),
    [
        (lambda n: 0.5, 0.0, True),
        (lambda n: n * 1e-4, 1.0, True),
        (lambda n: n * math.log(n) * 1e-5, 1.11, True),
        (lambda n: n**1.2 * 1e-5, 1.2, False),
        (lambda n: n**2 * 1e-7, 2.0, False),
    ],
    ids=["constant", "n", "n log n", "n ** 1.2", "n ** 2"],
)
def test_what_grows_in_a_known_way_has_that_exponent(cost, exponent, within):
    found = measured(cost)
    assert found.exponent == pytest.approx(exponent, abs=0.01)
    assert found.low == pytest.approx(found.high) == pytest.approx(found.exponent)
    assert found.within is within


def test_a_constant_cost_flattens_the_fit_and_not_the_last_step():
    found = measured(lambda n: 2.0 + n * 1e-3)
    assert found.exponent < 0.85
    assert found.last == pytest.approx(math.log(66 / 18, 4))


def test_times_that_differ_widen_the_bounds_and_one_wild_round_moves_nothing():
    steady = {size: [size * 1e-6] * 5 for size in SIZES}
    wild = {size: [*times[:4], times[4] * 50] for size, times in steady.items()}
    restless = {size: [size * 1e-6 * factor for factor in (0.6, 0.8, 1, 1.3, 1.7)] for size in SIZES}
    assert growth("wild", "items", wild).exponent == pytest.approx(1.0)
    assert growth("restless", "items", restless).high > 1.02 > growth("steady", "items", steady).high


def test_sizes_take_turns_and_each_begins_a_round():
    work = Work(lambda n: 1.0)
    calls = {size: lambda size=size: work.do(size) for size in SIZES}
    times_of(calls, work.clock, budget_s=14.0)
    rounds = [tuple(work.order[at : at + 4]) for at in range(4, len(work.order), 4)]
    assert [turn[0] for turn in rounds[:4]] == list(SIZES)
    assert all(sorted(turn) == list(SIZES) for turn in rounds)


def test_the_verdict_names_what_is_steep_and_forgives_what_is_not_hot():
    linear, square = measured(lambda n: n * 1e-4), measured(lambda n: n**2 * 1e-7)
    cold = measured(lambda n: n**2 * 1e-7, hot=False)
    assert verdict([linear, cold]) == f"Nothing on a hot path grows faster than linearly: no exponent is above {LIMIT}."
    assert verdict([linear, square]) == "**Grows faster than linearly: work (2.00).**"
    assert [one["within"] for one in as_json([linear, square, cold])] == [True, False, True]
    assert (
        "| work | 1,000, 4,000, 16,000, 64,000 items | 100 ms, 400 ms, 1.6 s, 6.4 s | 1.00 (1.00 to 1.00) | 1.00 |"
        in (markdown([linear]))
    )


@pytest.mark.full
@pytest.mark.measures
def test_scoring_grows_as_its_rows_and_not_with_its_deployments(tmp_path):
    kept = tmp_path / "growth.json"
    line = [sys.executable, "-m", "perf.growth", "--only", "scoring", "--json", str(kept)]
    ran = subprocess.run(line, cwd=CHECKOUT, capture_output=True, text=True, timeout=600, check=False)
    found = {one["name"]: one for one in json.loads(kept.read_text("utf-8"))}
    assert ran.returncode == 0, ran.stdout
    assert 0.85 < found["scoring: rows"]["exponent"] <= LIMIT
    assert found["scoring: deployments"]["exponent"] < 0.3
