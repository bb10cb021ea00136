"""Steps that widen the matrix: the same numbers for one row as for many, and a damaged folder is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.domain.errors import ModelUnreadable
from core.predict.steps import DIFFERENCE, PRODUCT, RATIO, STEPS, SUM, Arithmetic, Lookup, widened

INF = np.inf
CELLS = st.sampled_from([np.nan, -3e38, -1.0, 0.0, 1.0, 2.0, 7.0, 3e38])


def lookup(**changes) -> Lookup:
    """Two keys: the text in column 0 (two levels), and that text with the number in column 1 (below 1, or above)."""
    return Lookup(**{
        "column": np.array([0, 0, 1]), "size": np.array([2, 2, 2]), "edges": np.array([[INF], [INF], [1.0]]),
        "numeric": np.array([False, False, True]), "first": np.array([0, 1]), "start": np.array([0, 3]),
        "table": np.arange(12.0)[:, None], **changes,
    })  # fmt: skip


def test_each_combination_of_values_has_a_number_of_its_own_and_a_missing_value_too():
    matrix = np.array([[0, 0.5], [0, 1.5], [0, np.nan], [1, 0.5], [np.nan, np.nan], [9, 1.0]])
    assert lookup().added(matrix).tolist() == [[0, 3], [0, 4], [0, 5], [1, 6], [2, 11], [2, 9]]
    assert lookup().sources == ((0,), (0, 1))


def test_arithmetic_gives_no_number_where_there_is_none():
    step = Arithmetic(np.array([0, 0, 0, 0]), np.array([1, 1, 1, 1]), np.array([DIFFERENCE, RATIO, PRODUCT, SUM]))
    added = step.added(np.array([[6.0, 2.0], [1.0, 0.0], [np.nan, 1.0], [3e38, 3e38]]))
    assert added[0].tolist() == [4, 3, 12, 8]
    assert np.isnan(added[1, 1])
    assert np.isnan(added[2]).all()
    assert np.isfinite(added[3]).all(), "what is too large for float32 is its border"


@given(arrays(np.float64, st.tuples(st.integers(1, 30), st.just(2)), elements=CELLS))
def test_a_row_gets_the_same_numbers_alone_as_among_others(matrix):
    steps = (lookup(), Arithmetic(np.array([2, 1]), np.array([1, 3]), np.array([RATIO, PRODUCT])))
    together = widened(matrix, steps)
    alone = np.vstack([widened(row[None], steps) for row in matrix])
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("step", [lookup(), Arithmetic(np.array([0]), np.array([1]), np.array([RATIO]))])
def test_a_step_comes_back_as_it_was_written(step):
    again = STEPS[step.kind].from_arrays(step.meta(), step.arrays())
    matrix = np.array([[1.0, 2.0], [np.nan, 0.0]])
    np.testing.assert_array_equal(again.added(matrix), step.added(matrix))


@pytest.mark.parametrize(
    "changes",
    [
        {"table": np.zeros((11, 1))},
        {"table": np.full((12, 1), np.nan)},
        {"table": np.zeros(12)},
        {"size": np.array([2, 2, 3])},
        {"size": np.array([2, 2, -1])},
        {"first": np.array([1, 0])},
        {"first": np.array([0, 3])},
        {"start": np.array([-1, 3])},
        {"start": np.array([0.0, 3.0])},
        {"column": np.array([0, 0])},
    ],
    ids=str,
)
def test_a_lookup_whose_arrays_do_not_fit_is_refused(changes):
    with pytest.raises(ModelUnreadable):
        lookup(**changes)


@pytest.mark.parametrize("operation", [np.array([4]), np.array([0.0]), np.array([0, 1])])
def test_arithmetic_that_is_none_is_refused(operation):
    with pytest.raises(ModelUnreadable):
        Arithmetic(np.array([0]), np.array([1]), operation)
