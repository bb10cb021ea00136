"""Any small forest answers as one row at a time, walked node by node, would."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_forests import TREES, random_forest, random_rows

from core.domain.errors import ModelUnreadable
from core.predict.arrays import LINKS
from core.predict.forest import Forest


def naive(forest: Forest, row: np.ndarray) -> np.ndarray:
    """The sums of one row, by the words of the module."""
    row = np.where(np.isnan(row), forest.fill, row) if len(forest.fill) else row
    with np.errstate(over="ignore"):
        row = row.astype(np.float32).astype(np.float64) if forest.cast32 else row
    sums = np.zeros(len(forest.base)) if not forest.sum32 else forest.base.astype(np.float32)
    for tree, root in enumerate(forest.roots.tolist()):
        node = root
        while forest.left[node] != node:
            node = int((forest.left if goes_left(forest, node, row[forest.feature[node]]) else forest.right)[node])
        value = forest.value[node]
        if forest.value.ndim == 1:
            at = forest.output[tree]
            sums[at] = sums[at] + (np.float32(value) if forest.sum32 else value)
        else:
            sums += value
    return sums.astype(np.float64) if forest.sum32 else forest.base + forest.scale * sums


def goes_left(forest: Forest, node: int, x: float) -> bool:
    if np.isnan(x):
        return bool(forest.default_left[node])
    if not len(forest.set_of) or forest.set_of[node] < 0:
        return bool(x <= forest.threshold[node])
    at = forest.set_of[node]
    words = forest.words[forest.set_start[at] : forest.set_start[at + 1]].tolist()
    if not forest.threshold[node] < x < 32 * len(words):
        return False
    return bool(words[int(x) // 32] >> int(x) % 32 & 1)


@given(
    seed=st.integers(0, 2**32),
    kind=st.sampled_from(list(TREES)),
    trees=st.integers(1, 19),
    count=st.sampled_from([1, 2, 7, 8, 9, 16, 70]),
    sets=st.booleans(),
)
@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_forest_answers_as_a_walk_node_by_node_would(evaluator, seed, kind, trees, count, sets):
    rng = np.random.default_rng(seed)
    forest = random_forest(rng, kind, max(trees, TREES[kind]["outputs"]), sets)
    rows = random_rows(rng, count)
    assert forest.compiled is (evaluator == "compiled")
    with np.errstate(over="ignore"):
        answers = forest.probabilities(rows)
    # The order of summing is defined, so that not even the last bit differs.
    assert np.array_equal(answers, LINKS[forest.link](np.array([naive(forest, row) for row in rows])))
    again = Forest.from_arrays(forest.meta(), forest.arrays())
    for name, array in forest.arrays().items():
        np.testing.assert_array_equal(getattr(again, name), array)


def test_a_row_gets_the_same_bits_alone_and_among_others(evaluator):
    rng = np.random.default_rng(3)
    forest, rows = random_forest(rng, "several", 60, True), random_rows(rng, 100)
    together = forest.probabilities(rows)
    assert all(np.array_equal(forest.probabilities(rows[at : at + 1])[0], together[at]) for at in range(len(rows)))


def test_rows_that_lie_otherwise_in_memory_are_read_alike(evaluator):
    rng = np.random.default_rng(4)
    forest, rows = random_forest(rng, "plain", 20, True), random_rows(rng, 20)
    expected = forest.probabilities(rows)
    wide, fixed = np.repeat(rows, 2, axis=1)[:, ::2], rows.copy()
    fixed.flags.writeable = False
    assert np.array_equal(forest.probabilities(fixed), expected)
    assert np.array_equal(forest.probabilities(np.asfortranarray(rows)), expected)
    assert np.array_equal(forest.probabilities(wide), expected)
    assert forest.probabilities(rows[:0]).shape == (0, 2)


def test_a_matrix_without_a_column_that_a_tree_asks_for_is_refused(evaluator):
    forest = random_forest(np.random.default_rng(1), "plain", 9, False)
    with pytest.raises(IndexError):
        forest.probabilities(np.zeros((1, 2)))
    filled = random_forest(np.random.default_rng(1), "averaged", 9, False)
    with pytest.raises(ValueError, match=r"columns|broadcast"):
        filled.probabilities(np.zeros((1, 4)))


def test_threads_that_ask_at_once_get_their_own_answers(evaluator):
    rng = np.random.default_rng(5)
    forest = random_forest(rng, "averaged", 40, True)
    asked = [random_rows(rng, count) for count in (1, 3, 70, 200) * 5]
    alone = [forest.probabilities(rows) for rows in asked]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(forest.probabilities, asked * 4))
    assert all(np.array_equal(a, b) for a, b in zip(alone * 4, together, strict=True))


def test_a_forest_can_be_copied_to_another_process(evaluator):
    rng = np.random.default_rng(6)
    forest, rows = random_forest(rng, "plain", 5, True), random_rows(rng, 9)
    assert np.array_equal(pickle.loads(pickle.dumps(forest)).probabilities(rows), forest.probabilities(rows))


def test_nodes_that_lie_in_several_trees_are_walked_by_numpy(evaluator):
    tree = np.array([1, 1, 2], np.int32), np.array([2, 1, 2], np.int32)
    shared = asking(left=tree[0], right=tree[1], roots=np.zeros(2, np.int32), output=np.zeros(2, np.int32))
    assert shared.probabilities(np.array([[1.0], [2.0]]))[:, 0].tolist() == [-2, 2]


def test_a_forest_without_sets_and_cover_is_written_as_it_always_was():
    forest = random_forest(np.random.default_rng(1), "plain", 3, False)
    assert not {"set_of", "set_start", "words", "cover"} & set(forest.arrays())


def asking(**changes) -> Forest:
    """One tree: levels 1 and 33 go left to -1, every other one right to 1."""
    arrays = {
        "roots": np.array([0], np.int32),
        "feature": np.zeros(3, np.int32),
        "threshold": np.array([-1.0, 0, 0]),
        "left": np.array([1, 1, 2], np.int32),
        "right": np.array([2, 1, 2], np.int32),
        "default_left": np.zeros(3, bool),
        "value": np.array([0, -1.0, 1.0]),
        "output": np.zeros(1, np.int32),
        "base": np.zeros(1),
        "fill": np.zeros(0),
        "link": "value",
        "set_of": np.array([0, -1, -1], np.int32),
        "set_start": np.array([0, 2], np.int32),
        "words": np.array([2, 2], np.uint32),
    }
    return Forest(**{**arrays, **changes})


def test_a_level_that_is_not_in_the_set_or_never_was_seen_goes_right(evaluator):
    levels = np.array([1, 33, 0, 32, 34, 64, 1e9, -1, np.nan])
    assert asking().probabilities(levels[:, None])[:, 0].tolist() == [-1, -1, 1, 1, 1, 1, 1, 1, 1]


def test_a_missing_level_goes_where_the_node_says(evaluator):
    forest = asking(default_left=np.array([True, False, False]))
    assert forest.probabilities(np.array([[np.nan], [0.0]]))[:, 0].tolist() == [-1, 1]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"set_of": np.array([1, -1, -1], np.int32)}, "asks for a set that is not there"),
        ({"set_of": np.array([0], np.int32)}, "asks for a set that is not there"),
        ({"set_of": np.zeros(0, np.int32)}, "asks for a set that is not there"),
        ({"set_start": np.zeros(0, np.int32)}, "asks for a set that is not there"),
        ({"set_start": np.array([0, 3], np.int32)}, "do not lie one after the other"),
        ({"set_start": np.array([0, 0], np.int32)}, "do not lie one after the other"),
        ({"set_start": np.array([1, 2], np.int32)}, "do not lie one after the other"),
        ({"words": np.array([2, 2], np.int32)}, "of other types"),
        ({"threshold": np.array([-1e300, 0, 0])}, "a set would hold what is below its first category"),
        ({"cover": np.ones(2)}, "the weight of the rows at its nodes"),
        ({"cover": np.array([1.0, -1.0, 1.0])}, "the weight of the rows at its nodes"),
        ({"cover": np.array([1.0, np.nan, 1.0])}, "the weight of the rows at its nodes"),
    ],
)
def test_sets_that_are_none_are_refused(changes, problem):
    with pytest.raises(ModelUnreadable, match=problem):
        asking(**changes)
