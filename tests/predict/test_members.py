from dataclasses import replace

import numpy as np
import pytest

from core.domain.errors import ModelUnreadable
from core.predict.forest import LANES_MAX, Forest
from core.predict.linear import Linear

NAN = float("nan")


def stump(**changes) -> Forest:
    """One tree: x0 <= 1.5 gives -2, else +2; a missing value goes left."""
    forest = Forest(
        roots=np.array([0], np.int32),
        feature=np.array([0, 0, 0], np.int32),
        threshold=np.array([1.5, 0, 0]),
        left=np.array([1, 1, 2], np.int32),
        right=np.array([2, 1, 2], np.int32),
        default_left=np.array([True, False, False]),
        value=np.array([0, -2.0, 2.0]),
        output=np.array([0], np.int32),
        base=np.zeros(1),
        fill=np.zeros(0),
    )
    return replace(forest, **changes)


def positive(forest: Forest, *values: float) -> list[float]:
    return forest.probabilities(np.array(values)[:, None])[:, 1].tolist()


def sigmoid(margin: float) -> float:
    return 1 / (1 + np.exp(-margin))


def test_a_value_on_the_threshold_goes_left_and_the_next_one_right(evaluator):
    assert positive(stump(), 1.5, np.nextafter(1.5, 2)) == pytest.approx([sigmoid(-2), sigmoid(2)])


def test_a_missing_value_goes_where_the_node_says(evaluator):
    assert positive(stump(), NAN) == pytest.approx([sigmoid(-2)])
    assert positive(stump(default_left=np.zeros(3, bool)), NAN) == pytest.approx([sigmoid(2)])


def test_a_filled_value_is_compared_like_any_other(evaluator):
    assert positive(stump(fill=np.array([9.0])), NAN) == pytest.approx([sigmoid(2)])


def test_float32_comparisons_round_the_value_first(evaluator):
    just_above = 1.5 + 1e-9
    assert positive(stump(), just_above) == pytest.approx([sigmoid(2)])
    assert positive(stump(cast32=True), just_above) == pytest.approx([sigmoid(-2)])


def test_leaves_may_hold_whole_distributions(evaluator):
    value = np.array([[0, 0, 0], [0.7, 0.2, 0.1], [0, 0, 1.0]])
    forest = stump(value=value, output=np.zeros(0, np.int32), base=np.zeros(3), link="identity")
    assert forest.probabilities(np.array([[0.0], [5.0]])).tolist() == [[0.7, 0.2, 0.1], [0, 0, 1.0]]


def test_huge_margins_give_certainty_not_an_overflow(evaluator):
    assert positive(stump(scale=1e4), 0, 9) == [0.0, 1.0]
    several = stump(output=np.array([1], np.int32), base=np.array([0.0, 0.0, 0.0]), link="softmax", scale=1e4)
    assert several.probabilities(np.array([[9.0]])).tolist() == [[0, 1, 0]]


def test_many_rows_are_walked_in_parts_and_give_the_same(evaluator):
    rows = np.linspace(-3, 3, LANES_MAX + 3)[:, None]
    whole = stump().probabilities(rows)
    assert np.array_equal(whole[-2:], stump().probabilities(rows[-2:]))
    assert len(whole) == len(rows)


def test_no_rows_give_no_answers(evaluator):
    assert stump().probabilities(np.zeros((0, 1))).shape == (0, 2)


def test_a_forest_of_one_leaf_answers_with_it(evaluator):
    one = np.zeros(1, np.int32)
    leaf = stump(
        roots=one, feature=one, threshold=np.zeros(1), left=one, right=one, default_left=np.zeros(1, bool),
        value=np.array([0.4]),
    )  # fmt: skip
    assert leaf.depth == 0
    assert positive(leaf, 3.0) == pytest.approx([sigmoid(0.4)])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"left": np.array([7, 1, 2], np.int32)}, "a child or root is no node"),
        ({"right": np.array([-1, 1, 2], np.int32)}, "a child or root is no node"),
        ({"left": np.array([1, 0, 2], np.int32)}, "its nodes form no trees"),
        ({"roots": np.zeros(0, np.int32), "output": np.zeros(0, np.int32)}, "it has no tree"),
        ({"output": np.array([1], np.int32)}, "an output is out of range"),
        ({"output": np.zeros(0, np.int32)}, "its trees have no output each"),
        ({"threshold": np.zeros(2)}, "its node arrays differ in length"),
        ({"feature": np.array([-1, 0, 0], np.int32)}, "a feature is negative"),
        ({"sum32": True, "scale": 0.5}, "it adds in float32"),
        ({"link": "probit"}, "its link is 'probit'"),
    ],
)
def test_arrays_that_are_no_forest_are_refused(changes, problem):
    with pytest.raises(ModelUnreadable, match=problem):
        stump(**changes)


def linear(**changes) -> Linear:
    """Column 0 is a number around 10, column 1 text of two levels."""
    member = Linear(
        numeric=np.array([0], np.int32),
        center=np.array([10.0]),
        scale=np.array([2.0]),
        coef=np.array([[3.0]]),
        absent=np.array([[0.5]]),
        text=np.array([1], np.int32),
        start=np.array([0], np.int32),
        size=np.array([2], np.int32),
        table=np.array([[1.0], [-1.0], [0.25]]),
        intercept=np.array([0.1]),
    )
    return replace(member, **changes)


def test_a_linear_model_scales_numbers_and_looks_text_up():
    rows = np.array([[12.0, 0], [10.0, 1]])
    assert linear().probabilities(rows)[:, 1] == pytest.approx([sigmoid(0.1 + 3 + 1), sigmoid(0.1 - 1)])


def test_a_linear_model_has_a_place_for_the_missing_and_the_unseen():
    assert linear().probabilities(np.array([[NAN, NAN]]))[:, 1] == pytest.approx([sigmoid(0.1 + 0.5 + 0.25)])


def test_linear_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ModelUnreadable, match="do not fit together"):
        linear(size=np.array([9], np.int32))


@pytest.mark.parametrize("member", [stump(scale=0.5, cast32=True), linear()])
def test_a_member_survives_its_arrays(member):
    again = type(member).from_arrays(member.meta(), member.arrays())
    rows = np.array([[1.0, 1], [2.0, 0]])
    assert np.array_equal(again.probabilities(rows), member.probabilities(rows))


def test_a_member_without_one_of_its_arrays_is_named():
    arrays = stump().arrays()
    del arrays["threshold"]
    with pytest.raises(ModelUnreadable, match="lacks 'threshold'"):
        Forest.from_arrays(stump().meta(), arrays)
