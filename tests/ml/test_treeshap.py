"""Contributions of columns: against the libraries' own, and against what the definition says, on any forest."""

from itertools import combinations
from math import factorial

import lightgbm
import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesRegressor

from core.ml.explain.treeshap import cover_of, shapley_of
from core.ml.learners.lightgbm import lightgbm_forest
from core.ml.learners.trees import sklearn_forest
from core.ml.learners.xgboost import xgboost_forest
from core.predict.forest import Forest

ROWS, LEVELS, ROUNDS = 400, 12, 8


def table() -> tuple[np.ndarray, np.ndarray]:
    """Two columns of numbers, one with holes, and one of levels; and what depends on all of them."""
    rng = np.random.default_rng(5)
    x = np.column_stack((rng.normal(size=ROWS).round(1), rng.normal(size=ROWS), rng.integers(0, LEVELS, ROWS)))
    signal = x[:, 0] * x[:, 1] + np.sin(x[:, 2]) + rng.normal(0, 0.2, ROWS)
    x[rng.random(ROWS) < 0.15, 0] = np.nan
    return x, signal


def of_lightgbm(objective: str, x: np.ndarray, goal: np.ndarray, classes: int) -> tuple[Forest, np.ndarray]:
    params = {"objective": objective, "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5, "max_cat_to_onehot": 1}
    params |= {"min_data_per_group": 5, "num_class": classes} if classes > 2 else {"min_data_per_group": 5}
    data = lightgbm.Dataset(x, goal, categorical_feature=[2], params={"verbosity": -1})
    booster = lightgbm.train(params, data, ROUNDS)
    return lightgbm_forest(booster.model_to_string()), booster.predict(x, pred_contrib=True)


def of_xgboost(objective: str, x: np.ndarray, goal: np.ndarray, classes: int) -> tuple[Forest, np.ndarray]:
    data = xgboost.DMatrix(x, goal, feature_types=["q", "q", "c"], enable_categorical=True)
    params = {"objective": objective, "tree_method": "hist", "nthread": 1, "max_depth": 5}
    booster = xgboost.train(params | ({"num_class": classes} if classes > 2 else {}), data, ROUNDS)
    return xgboost_forest(bytes(booster.save_raw("json"))), booster.predict(data, pred_contribs=True)


OBJECTIVES = {
    "lightgbm": {0: "regression", 2: "binary", 3: "multiclass"},
    "xgboost": {0: "reg:squarederror", 2: "binary:logistic", 3: "multi:softprob"},
}


@pytest.mark.parametrize("classes", [0, 2, 3])
@pytest.mark.parametrize("library", [of_lightgbm, of_xgboost])
def test_contributions_are_the_librarys_own(library, classes):
    x, signal = table()
    goal = np.searchsorted(np.quantile(signal, np.linspace(0, 1, classes + 1)[1:-1]), signal) if classes else signal
    forest, theirs = library(OBJECTIVES[library.__name__[3:]][classes], x, goal, classes)
    found = shapley_of(forest)
    ours = found.contributions(x)
    outputs = len(forest.base)
    theirs = theirs.reshape(ROWS, outputs, x.shape[1] + 1)
    assert np.abs(ours.transpose(0, 2, 1) - theirs[..., :-1]).max() < 1e-6
    assert np.abs(found.base - theirs[..., -1]).max() < 1e-6
    assert np.abs(found.base + ours.sum(axis=1) - forest.margins(x)).max() < 1e-6


def test_leaves_that_hold_a_whole_distribution_are_shared_out_too():
    x, signal = table()
    x = np.nan_to_num(x)
    model = ExtraTreesRegressor(5, max_depth=6, random_state=1).fit(x, signal)
    forest = sklearn_forest([tree.tree_ for tree in model.estimators_], np.zeros(3))
    found = shapley_of(forest)
    assert np.abs(found.base + found.contributions(x).sum(axis=1) - model.predict(x)[:, None]).max() < 1e-9


@st.composite
def forests(draw: st.DrawFn) -> Forest:
    """Up to three trees of any shape over three columns, with a cover that fits."""
    columns, thresholds = st.integers(0, 2), st.sampled_from([-1.0, 0.0, 0.5])
    feature, threshold, left, right, value, cover = [], [], [], [], [], []

    def grow(depth: int) -> int:
        at = len(feature)
        for each, start in ((feature, 0), (threshold, 0.0), (left, at), (right, at), (value, 0.0), (cover, 0.0)):
            each.append(start)
        if depth == 0 or draw(st.booleans()):
            value[at], cover[at] = draw(st.integers(-4, 4)) / 2, float(draw(st.integers(0, 5)))
            return at
        feature[at], threshold[at] = draw(columns), draw(thresholds)
        left[at] = grow(depth - 1)
        right[at] = grow(depth - 1)
        cover[at] = cover[left[at]] + cover[right[at]]
        return at

    roots = [grow(4) for _ in range(draw(st.integers(1, 3)))]
    return Forest(
        np.array(roots, np.int32), np.array(feature, np.int32), np.array(threshold), np.array(left, np.int32),
        np.array(right, np.int32), np.array([draw(st.booleans()) for _ in feature]), np.array(value),
        np.zeros(len(roots), np.int32), np.array([0.25]), np.zeros(0), cover=np.array(cover), link="value", scale=0.5,
    )  # fmt: skip


def expected(forest: Forest, row: np.ndarray, known: frozenset[int]) -> float:
    """The sum for a row of which only these columns are known, by the definition (Lundberg 2020, algorithm 1)."""
    right = forest.goes_right(row[None])[0]

    def of(node: int) -> float:
        a, b = forest.left[node], forest.right[node]
        if a == node:
            return forest.value[node]
        if forest.feature[node] in known:
            return of(b if right[node] else a)
        weight = forest.cover[node]
        return (forest.cover[a] * of(a) + forest.cover[b] * of(b)) / weight if weight else 0.0

    return forest.base[0] + forest.scale * sum(of(root) for root in forest.roots)


@settings(max_examples=60, deadline=None)
@given(forests(), st.lists(st.sampled_from([-1.0, 0.0, 0.25, 2.0, np.nan]), min_size=3, max_size=3))
def test_contributions_are_the_shapley_values_of_the_definition(forest, values):
    row, columns = np.array(values), frozenset(range(3))
    found = shapley_of(forest)
    ours = found.contributions(row[None])[0, :, 0]
    for column in columns:
        rest, wanted = columns - {column}, 0.0
        for size in range(3):
            for some in map(frozenset, combinations(rest, size)):
                weight = factorial(size) * factorial(2 - size) / factorial(3)
                wanted += weight * (expected(forest, row, some | {column}) - expected(forest, row, some))
        assert ours[column] == pytest.approx(wanted, abs=1e-9)
    assert found.base[0] == pytest.approx(expected(forest, row, frozenset()), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(forests(), st.integers(0, 2**31))
def test_a_forest_without_a_cover_gets_one_from_rows_and_adds_up(forest, seed):
    rows = np.random.default_rng(seed).normal(size=(20, 3))
    cover = cover_of(forest, rows)
    found = shapley_of(forest, cover)
    assert np.allclose(found.base + found.contributions(rows).sum(axis=1), forest.margins(rows), atol=1e-9)
    assert cover[forest.roots] == pytest.approx(20, abs=0.2)
