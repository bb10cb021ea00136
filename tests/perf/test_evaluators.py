"""The comparison of the evaluators measures both on the same rows and says so in a table."""

import numpy as np

from core.ml.learners.forest import Tree, joined
from perf.evaluators import markdown, timed


def test_both_evaluators_are_timed_on_the_same_rows(evaluator):
    stump = Tree(
        np.zeros(3, int), np.zeros(3), np.array([1, 1, 2]), np.array([2, 1, 2]), np.zeros(3, bool), np.arange(3.0)
    )
    forest = joined([stump] * 5, np.zeros(5), np.zeros(1), link="value")
    found = timed(forest, np.random.default_rng(2).normal(size=(20, 3)), (1, 10), turn_s=0.001)
    assert [(t.trees, t.leaves, t.rows) for t in found] == [(5, 2, 1), (5, 2, 10)]
    assert all(t.numpy_us > 0 and t.compiled_us > 0 for t in found)
    assert len(markdown(found).splitlines()) == 4
