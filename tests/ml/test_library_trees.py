"""Trees of the libraries' own training, with splits on categories, in the forest format: answers and covers."""

from collections.abc import Callable

import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from core.ml.learners.lightgbm import lightgbm_forest
from core.ml.learners.trees import sklearn_forest
from core.ml.learners.xgboost import xgboost_forest
from core.predict.forest import Forest

ROWS, LEVELS = 500, 40
RNG = np.random.default_rng(11)
EFFECTS = RNG.normal(size=LEVELS)
ODD = [np.nan, -1.0, -0.5, -0.0, 0.5, 39.0, 39.9, 40.0, 63.0, 64.0, 500.0, 1e7, 2.0**24, 2.0**30]
"""Places of levels that training saw, never saw, and that are none."""


def table(holes: bool) -> tuple[np.ndarray, np.ndarray]:
    """One column of numbers and two of levels, and what depends on all of them."""
    x = np.column_stack((RNG.normal(size=ROWS).round(1), RNG.integers(0, LEVELS, ROWS), RNG.integers(0, 3, ROWS)))
    signal = x[:, 0] + 2 * EFFECTS[x[:, 1].astype(int)] + x[:, 2] + RNG.normal(0, 0.3, ROWS)
    if holes:
        x[RNG.random(x.shape) < 0.15] = np.nan
    return x, signal


def hard_rows(x: np.ndarray) -> np.ndarray:
    odd = np.array(np.meshgrid([0.0, np.nan], ODD, ODD)).reshape(3, -1).T
    return np.vstack((x, odd))


def classes_of(signal: np.ndarray, classes: int) -> np.ndarray:
    return np.searchsorted(np.quantile(signal, np.linspace(0, 1, classes + 1)[1:-1]), signal)


def lightgbm_booster(x: np.ndarray, goal: np.ndarray, objective: str, **params) -> lightgbm.Booster:
    params = {
        "objective": objective, "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5, "min_data_per_group": 5,
        "cat_smooth": 1.0, **params,
    }  # fmt: skip
    return lightgbm.train(params, lightgbm.Dataset(x, goal, categorical_feature=[1, 2], params={"verbosity": -1}), 12)


def xgboost_matrix(x: np.ndarray, goal: np.ndarray | None = None) -> xgboost.DMatrix:
    return xgboost.DMatrix(x, goal, feature_types=["q", "c", "c"], enable_categorical=True)


def xgboost_booster(x: np.ndarray, goal: np.ndarray, objective: str, **params) -> xgboost.Booster:
    params = {"objective": objective, "tree_method": "hist", "nthread": 1, "max_depth": 4, **params}
    return xgboost.train(params, xgboost_matrix(x, goal), 12)


def of_xgboost(booster: xgboost.Booster) -> Forest:
    return xgboost_forest(bytes(booster.save_raw("json")))


def columns_of(own: np.ndarray, classes: int) -> np.ndarray:
    """The library's answers as ours are shaped; 0 classes are a regression."""
    if own.ndim == 2:
        return own
    return np.column_stack((1 - own, own)) if classes else own[:, None]


@pytest.mark.parametrize("holes", [False, True], ids=["full", "holes"])
@pytest.mark.parametrize("onehot", [1, 100], ids=["sets", "single levels"])
@pytest.mark.parametrize("classes", [0, 2, 4])
@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_splits_on_categories_answer_as_the_library_does(evaluator, library, classes, onehot, holes):
    x, signal = table(holes)
    goal, several = classes_of(signal, classes) if classes else signal, {"num_class": classes} if classes > 2 else {}
    rows = hard_rows(x)
    if library == "lightgbm":
        objective = {0: "regression", 2: "binary"}.get(classes, "multiclass")
        ours = lightgbm_booster(x, goal, objective, max_cat_to_onehot=onehot, **several)
        forest, own = lightgbm_forest(ours.model_to_string()), ours.predict(rows)
    else:
        objective = {0: "reg:squarederror", 2: "binary:logistic"}.get(classes, "multi:softprob")
        booster = xgboost_booster(x, goal, objective, max_cat_to_onehot=onehot, **several)
        forest, own = of_xgboost(booster), booster.predict(xgboost_matrix(rows))
    assert (forest.set_of >= 0).any()
    assert np.abs(forest.probabilities(rows) - columns_of(own, classes)).max() < 1e-6


@pytest.mark.parametrize("use_missing", [True, False])
def test_lightgbm_without_missing_values_sends_them_right_at_categories(use_missing):
    x, signal = table(True)
    booster = lightgbm_booster(x, signal, "regression", use_missing=use_missing)
    rows = hard_rows(x)
    own = booster.predict(rows)
    assert lightgbm_forest(booster.model_to_string()).probabilities(rows)[:, 0] == pytest.approx(own, abs=1e-9)


@pytest.mark.parametrize("objective", ["reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror"])
def test_a_regression_of_xgboost_starts_from_its_base_score(objective):
    x, signal = table(True)
    booster = xgboost_booster(x, signal + 100, objective)
    own = booster.predict(xgboost_matrix(x))
    assert of_xgboost(booster).probabilities(x)[:, 0] == pytest.approx(own, rel=1e-6)


@pytest.mark.parametrize("objective", ["regression_l1", "huber", "fair", "quantile", "mape"])
def test_a_regression_of_lightgbm_answers_with_its_sums(objective):
    x, signal = table(True)
    booster = lightgbm_booster(x, signal + 100, objective)
    own = booster.predict(x)
    assert lightgbm_forest(booster.model_to_string()).probabilities(x)[:, 0] == pytest.approx(own, rel=1e-9)


def test_a_regression_of_scikit_learn_is_the_mean_of_its_trees():
    x, signal = table(False)
    model = ExtraTreesRegressor(20, min_samples_leaf=3, random_state=1).fit(x, signal)
    forest = sklearn_forest([tree.tree_ for tree in model.estimators_], np.full(3, -99.0))
    assert forest.probabilities(x)[:, 0] == pytest.approx(model.predict(x), abs=1e-9)


def _lightgbm_forest(x: np.ndarray, signal: np.ndarray) -> Forest:
    return lightgbm_forest(lightgbm_booster(x, classes_of(signal, 2), "binary").model_to_string())


def _xgboost_forest(x: np.ndarray, signal: np.ndarray) -> Forest:
    return of_xgboost(xgboost_booster(x, classes_of(signal, 2), "binary:logistic"))


def _sklearn_forest(x: np.ndarray, signal: np.ndarray) -> Forest:
    model = ExtraTreesClassifier(10, min_samples_leaf=3, random_state=1).fit(x, classes_of(signal, 2))
    return sklearn_forest([tree.tree_ for tree in model.estimators_], np.full(3, -99.0))


@pytest.mark.parametrize("made", [_lightgbm_forest, _xgboost_forest, _sklearn_forest])
def test_the_cover_of_a_node_is_that_of_its_children_together(made: Callable[[np.ndarray, np.ndarray], Forest]):
    forest = made(*table(False))
    inner = forest.left != np.arange(len(forest.left))
    children = forest.cover[forest.left[inner]] + forest.cover[forest.right[inner]]
    assert forest.cover[inner] == pytest.approx(children, rel=1e-5)
    if made is not _xgboost_forest:  # its cover is a sum of second derivatives
        assert forest.cover[forest.roots].tolist() == [ROWS] * len(forest.roots)
