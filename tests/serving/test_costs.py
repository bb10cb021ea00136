"""What requests will cost, told from what others of about as many rows took."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import samples
from core.serving.costs import COUNTED_BYTES, GUESS_ROW_S, INLINE_S, Costs, rows_at_most

ROW = {"age": 40, "name": "Ada"}


def measured(base_s: float, row_s: float, sizes: list[int]) -> Costs:
    """The costs of a deployment that takes so long, and has answered requests of these sizes."""
    costs = Costs()
    for rows in sizes:
        costs.ran(rows, 100 * rows, base_s + row_s * rows, base_s + row_s * rows)
    return costs


def test_before_anything_ran_eighty_rows_are_little_and_thousands_are_not():
    costs = Costs()
    assert costs.of(80).cpu_s < INLINE_S < costs.of(8000).cpu_s
    assert costs.of(100).run_s == pytest.approx(100 * GUESS_ROW_S)


def test_a_large_request_costs_what_large_ones_took_and_a_small_one_what_small_ones_did():
    costs = measured(0.0003, 0.0001, [2] * 50 + [10_000] + [2] * 200)
    assert costs.of(2).run_s == pytest.approx(0.0005)
    assert costs.of(10_000).run_s == pytest.approx(1.0, rel=0.01)
    assert costs.of(9_000).run_s == pytest.approx(0.9, rel=0.01)


def test_an_endpoint_that_only_gets_fifty_rows_may_be_slow():
    costs = measured(0.001, 0.001, [50])
    assert costs.of(50).cpu_s > INLINE_S
    assert costs.dear


def test_one_odd_run_makes_no_fast_deployment_slow_and_a_few_more_do():
    costs = measured(0.0005, 0.0, [2] * 20)
    costs.ran(2, 200, 0.04, 0.04)
    assert costs.of(2).cpu_s < INLINE_S
    assert not costs.dear
    for _ in range(3):
        costs.ran(2, 200, 0.04, 0.04)
    assert costs.of(2).cpu_s > INLINE_S
    assert costs.dear


def test_a_busy_neighbour_makes_no_deployment_slow():
    costs = Costs()
    for _ in range(100):
        costs.ran(2, 200, run_s=0.05, cpu_s=0.002)
    assert costs.of(2).cpu_s < INLINE_S
    assert not costs.dear
    assert costs.of(2).run_s == pytest.approx(0.05), "but others wait so long"


def test_a_long_body_costs_its_reading_however_few_rows_it_has():
    assert measured(0.0003, 0.0001, [1, 2, 4]).of(1, 16_000_000).cpu_s > INLINE_S


@given(
    st.floats(1e-5, 0.05),
    st.floats(1e-7, 0.01),
    st.lists(st.integers(1, 10_000), min_size=1, max_size=30),
    st.integers(1, 10_000),
)
def test_what_was_not_seen_is_taken_for_no_less_than_it_may_be(base_s, row_s, sizes, asked):
    """A model whose time grows with its rows: sizes within what was seen are met, beyond it never too small."""
    true_s, told_s = base_s + row_s * asked, measured(base_s, row_s, sizes).of(asked).run_s
    assert told_s >= true_s / 2
    if min(sizes) <= asked <= max(sizes):
        assert told_s <= 2 * true_s


@given(st.lists(st.integers(1, 500), min_size=1, max_size=20), st.sampled_from(["v1", "v2", "mlflow"]))
def test_rows_are_never_more_than_were_counted(sizes, form):
    for rows in sizes:
        body = samples.body([ROW] * rows, form)
        counted = rows_at_most(body)
        if len(body) <= COUNTED_BYTES:
            assert rows <= counted <= rows + 3
        else:
            assert counted == pytest.approx(rows, rel=0.1)


@pytest.mark.parametrize("row", [b"{}", b"[]", b"[1]", b'{"a":1}'])
def test_short_rows_are_counted_too(row: bytes):
    assert rows_at_most(b'{"data":[' + b",".join([row] * 8000) + b"]}") >= 7999
    assert rows_at_most(b"") == rows_at_most(b"no JSON") == 0
