"""The gate's statistics: what a set of paired times says, and how often it is wrong."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perf.gate.judge import RESTARTS_MIN, Bounds, Kind, Ratios, verdict

SEED = 20


def ratios(
    true_ratio: float, *, restarts: int = 6, pairs: int = 60, between: float = 0.003, seed: int = SEED
) -> Ratios:
    """Pairs with 2 % of noise each, around a ratio that differs a little between restarts."""
    random, made = np.random.default_rng(seed), Ratios()
    for _ in range(restarts):
        here = math.log(true_ratio) + random.normal(0, between)
        made.add(random.normal(here, 0.02, pairs).tolist(), random)
    return made


def bounds(made: Ratios) -> Bounds:
    return made.bounds(np.random.default_rng(SEED))


def test_the_bounds_hold_the_true_ratio_and_are_a_percent_or_so_apart():
    told = bounds(ratios(1.05))
    assert told.low < 1.05 < told.high
    assert told.high - told.low < 0.02


def test_too_few_restarts_say_nothing_however_many_pairs_they_have():
    told = bounds(ratios(1.5, restarts=RESTARTS_MIN - 1, pairs=10_000))
    assert (told.low, told.high) == (0.0, math.inf)
    assert verdict(told, 1.0, time_is_over=True) is Kind.UNDECIDED


def test_restarts_that_differ_widen_the_bounds_more_than_pairs_can_narrow_them():
    steady, restless = bounds(ratios(1.0, pairs=500)), bounds(ratios(1.0, pairs=500, between=0.05))
    assert restless.high - restless.low > 5 * (steady.high - steady.low)


def test_one_block_in_five_that_is_twice_as_long_moves_nothing():
    random, made = np.random.default_rng(SEED), Ratios()
    for _ in range(6):
        pairs = random.normal(0, 0.02, 100)
        pairs[:20] += math.log(2)
        made.add(pairs.tolist(), random)
    assert bounds(made).ratio == pytest.approx(1.0, abs=0.01)


def test_of_two_hundred_equal_pairs_of_revisions_none_is_called_slower():
    called = [verdict(bounds(ratios(1.0, seed=seed)), 1.0, time_is_over=True) for seed in range(200)]
    assert called.count(Kind.SLOWER) == 0
    assert called.count(Kind.SAME) >= 198


def test_a_slowdown_of_three_percent_is_called_slower_nearly_always():
    called = [verdict(bounds(ratios(1.03, seed=seed)), 1.0, time_is_over=True) for seed in range(100)]
    assert called.count(Kind.SLOWER) >= 95


@pytest.mark.parametrize(
    ("low", "high", "early", "late"),
    [
        (1.011, 1.02, Kind.SLOWER, Kind.SLOWER),
        (1.01, 1.02, Kind.UNDECIDED, Kind.SAME),  # a bound on the threshold is not above it
        (0.995, 1.009, Kind.SAME, Kind.SAME),
        (0.995, 1.025, Kind.UNDECIDED, Kind.SAME),
        (0.995, 1.031, Kind.UNDECIDED, Kind.UNDECIDED),
        (0.90, 0.98, Kind.FASTER, Kind.FASTER),
        (0.98, 1.00, Kind.UNDECIDED, Kind.SAME),
    ],
)
def test_the_verdict_follows_from_the_bounds_and_the_time(low: float, high: float, early: Kind, late: Kind):
    told = Bounds((low + high) / 2, low, high)
    assert verdict(told, 1.0, time_is_over=False) is early
    assert verdict(told, 1.0, time_is_over=True) is late


@settings(max_examples=50, deadline=None)
@given(st.floats(0.5, 2.0), st.floats(0.2, 5.0), st.integers(0, 2**32 - 1))
def test_a_wider_threshold_never_makes_a_verdict_of_slower(true_ratio: float, threshold: float, seed: int):
    told = bounds(ratios(true_ratio, seed=seed))
    if verdict(told, threshold * 2, time_is_over=True) is Kind.SLOWER:
        assert verdict(told, threshold, time_is_over=True) is Kind.SLOWER
