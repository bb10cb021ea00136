"""Networks, neighbors and scores as arrays: what they say, and that damage is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.domain.errors import ModelUnreadable
from core.ml.features import SCORE_MAX, scores_of
from core.predict.linear import Linear
from core.predict.neighbors import Neighbors
from core.predict.network import Network
from core.predict.scores import Scores


def places(width: int) -> Linear:
    """The columns themselves."""
    none = np.zeros(0, dtype=np.int32)
    return Linear(
        np.arange(width, dtype=np.int32), np.zeros(width), np.ones(width), np.eye(width), np.zeros((width, width)),
        none, none, none, np.zeros((0, width)), np.zeros(width), "identity",
    )  # fmt: skip


def test_a_network_is_its_layers():
    network = Network(places(2), (np.array([[1.0], [-2.0]]),), (np.array([0.5]),), "relu", "value")
    assert network.probabilities(np.array([[3.0, -1.0], [-1.0, 2.0]])).tolist() == [[3.5], [-3.5]]


@pytest.mark.parametrize("change", ["weights", "bias", "number", "activation", "missing"])
def test_a_damaged_network_is_refused(change):
    network = Network(places(2), (np.ones((2, 3)),), (np.zeros(3),))
    meta, kept = network.meta(), network.arrays()
    if change == "weights":
        kept["weights0"] = np.ones((3, 3))
    if change == "bias":
        kept["bias0"] = np.zeros(2)
    if change == "number":
        kept["weights0"] = np.full((2, 3), np.nan)
    if change == "activation":
        meta["activation"] = "magic"
    if change == "missing":
        del kept["bias0"]
    with pytest.raises(ModelUnreadable):
        Network.from_arrays(meta, kept)


def test_neighbors_that_are_equally_far_all_count():
    rows, said = np.array([[0.0], [2.0], [4.0]]), np.array([[0.0], [10.0], [20.0]])
    nearest = Neighbors(places(1), rows, said, np.ones(3), 1)
    assert nearest.probabilities(np.array([[1.0], [3.9]]))[:, 0] == pytest.approx([5.0, 20.0])
    with pytest.raises(ModelUnreadable):
        Neighbors(places(1), rows, said[:2], np.ones(3), 1)


@given(
    arrays.arrays(
        float,
        st.tuples(st.integers(1, 80), st.just(2)),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=False),
    )
)
def test_scores_grow_with_the_value_and_have_two_ends(matrix):
    step = scores_of(matrix, [0, 1])
    said = step.added(matrix)
    assert np.array_equal(np.isnan(said), np.isnan(matrix))
    for at in range(2):
        known = ~np.isnan(matrix[:, at])
        order = np.argsort(matrix[known, at], kind="stable")
        assert (np.diff(said[known, at][order]) >= 0).all()
        assert (np.abs(said[known, at]) <= SCORE_MAX).all()
    assert np.array_equal(Scores.from_arrays(step.meta(), step.arrays()).added(matrix), said, equal_nan=True)


def test_scores_of_damaged_knots_are_refused():
    kept = scores_of(np.arange(6.0).reshape(3, 2), [0, 1]).arrays()
    for name, wrong in (("knot", kept["knot"][1:]), ("score", kept["score"] * np.nan), ("start", kept["start"] + 1)):
        with pytest.raises(ModelUnreadable):
            Scores.from_arrays({}, kept | {name: wrong})
