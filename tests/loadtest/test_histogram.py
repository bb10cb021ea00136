"""Percentiles from buckets agree with percentiles from all values."""

from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from core.loadtest.histogram import Histogram

latencies = st.lists(st.floats(0, 10_000, allow_subnormal=False), min_size=1, max_size=200)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(latencies, st.floats(0, 1))
def test_a_percentile_is_the_exact_one_within_a_thousandth(values: list[float], share: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = sorted(values)[max(1, ceil(share * len(values))) - 1]
    assert exact - 1e-9 <= histogram.percentile_s(share) <= exact * 1.001 + 2e-9


@settings(max_examples=50, derandomize=True, deadline=None)
@given(latencies)
def test_what_is_drawn_counts_every_value_in_ascending_steps(values: list[float]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    shown = list(histogram.shown())
    assert sum(count for _, count in shown) == histogram.count == len(values)
    assert [bound for bound, _ in shown] == sorted({bound for bound, _ in shown})
    assert shown[-1][0] >= max(values) * 1e3 * (1 - 1e-9) - 1e-6


def test_an_empty_histogram_has_zeros() -> None:
    histogram = Histogram()
    assert (histogram.percentile_s(0.5), histogram.mean_s, histogram.max_s, list(histogram.shown())) == (0, 0, 0, [])


def test_a_clock_that_was_set_back_counts_as_zero() -> None:
    histogram = Histogram()
    histogram.add(-1.0)
    assert histogram.max_s == 0
