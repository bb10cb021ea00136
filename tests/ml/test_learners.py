"""Every library's own probabilities against the flat forest's, on rows chosen to hurt: of whatever the registry has."""

from inspect import signature

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.algorithms import TASKS, Algorithm
from core.domain.data import ColumnKind
from core.domain.metrics import TaskKind
from core.ml.learners.learner import Setup, own_steps
from core.ml.learners.other_names import OTHER_NAMES
from core.ml.learners.registry import LEARNERS
from core.predict.encoder import FLOAT32_MAX, ColumnCode
from core.predict.folder import part_arrays, part_json, read_part
from core.predict.part import Part, bagged

ROWS = 400
KINDS = (TaskKind.BINARY, TaskKind.MULTICLASS)
PARAMS = {
    Algorithm.LIGHTGBM: {
        "num_leaves": 12,
        "learning_rate": 0.2,
        "min_data_in_leaf": 5,
        "categories": "splits",
        "cat_smooth": 1.0,
        "min_data_per_group": 5,
    },
    Algorithm.XGBOOST: {"max_depth": 4, "eta": 0.3, "categories": "splits", "max_cat_to_onehot": 2},
    Algorithm.CATBOOST: {"depth": 4, "learning_rate": 0.2, "max_ctr_complexity": 1},
    Algorithm.NEURAL_NETWORK: {"width": 8, "second_width": 4, "learning_rate": 0.02, "alpha": 0.01, "batch_size": 64},
    Algorithm.SVM: {"C": 0.1, "gamma": 0.3, "components": 40, "max_iter": 50},
    Algorithm.XGBOOST_REGRESSOR: {"max_depth": 4, "eta": 0.3, "categories": "splits"},
    Algorithm.EXTRA_TREES: {"n_estimators": 15, "min_samples_leaf": 2, "max_depth": 8},
    Algorithm.RANDOM_FOREST: {"n_estimators": 15, "min_samples_leaf": 2, "max_depth": 8},
}
CLASSIFIERS = [a for a in LEARNERS if TaskKind.BINARY in TASKS[a]]
REGRESSORS = [a for a in LEARNERS if TaskKind.REGRESSION in TASKS[a]]
BOOSTERS = [a for a in (Algorithm.LIGHTGBM, Algorithm.XGBOOST, Algorithm.CATBOOST) if a in LEARNERS]
CODES = (
    ColumnCode("a", ColumnKind.NUMBER),
    ColumnCode("b", ColumnKind.NUMBER),
    ColumnCode("c", ColumnKind.INTEGER),
    ColumnCode("d", ColumnKind.STRING, ("x", "y", "z")),
)


def never() -> bool:
    return False


def params_of(algorithm: Algorithm) -> dict:
    """Small ones; of a learner that needs no others, its own first choice."""
    return dict(PARAMS.get(algorithm, LEARNERS[algorithm].configs[0]))


def setup(algorithm: Algorithm, classes: int, **changes) -> Setup:
    return Setup(**{
        "params": params_of(algorithm), "kind": KINDS[classes > 2] if classes else TaskKind.REGRESSION,
        "classes": classes, "codes": CODES, "threads": 1, "seed": 3, "stop": never,
        "late": never, **changes,
    })  # fmt: skip


def part_of(fitted) -> Part:
    return Part(fitted.member(), 1.0, own_steps(fitted))


def answers(fitted, rows: np.ndarray) -> np.ndarray:
    """What its arrays say."""
    return bagged([part_of(fitted)], rows)


def table(seed: int, holes: bool) -> np.ndarray:
    """Values on a coarse grid, so that many rows sit on thresholds; with holes in every column when asked."""
    rng = np.random.default_rng(seed)
    columns = [
        rng.normal(size=ROWS).round(1),
        rng.lognormal(3, 2, ROWS),
        rng.integers(-5, 5, ROWS),
        rng.integers(0, 3, ROWS),
    ]
    matrix = np.column_stack(columns).astype(float)
    if holes:
        matrix[rng.random(matrix.shape) < 0.15] = np.nan
    return matrix


def labels(matrix: np.ndarray, classes: int, seed: int) -> np.ndarray:
    signal = np.nansum(matrix * [1.0, 0.001, 0.2, 0.5], axis=1) + np.random.default_rng(seed).normal(
        0, 0.5, len(matrix)
    )
    return np.searchsorted(np.quantile(signal, np.linspace(0, 1, classes + 1)[1:-1]), signal)


def hard_rows(matrix: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """The table's rows, and rows at, just below and just above every threshold, at the borders, and missing."""
    at = np.concatenate([thresholds, np.nextafter(thresholds, -np.inf), np.nextafter(thresholds, np.inf)])
    at = at[np.abs(at) <= FLOAT32_MAX]
    values = np.concatenate([at, at.astype(np.float32), [0.0, -0.0, np.nan, FLOAT32_MAX, -FLOAT32_MAX, 1e-40]])
    grid = np.repeat(values[:, None], matrix.shape[1], axis=1)
    grid[:, 3] = np.arange(len(grid)) % 3
    return np.vstack((matrix, grid))


@pytest.mark.parametrize("holes", [False, True], ids=["full", "holes"])
@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("algorithm", CLASSIFIERS)
def test_arrays_answer_as_the_library_does(algorithm, classes, holes):
    matrix = table(5, holes)
    goal = labels(matrix, classes, 5)
    fitted = LEARNERS[algorithm].fit(
        setup(algorithm, classes), (matrix[100:], goal[100:]), [(matrix[:100], goal[:100])], 0
    )
    member = fitted.member()
    thresholds = np.unique(getattr(member, "threshold", np.zeros(1)))[:300]
    rows = hard_rows(matrix, thresholds)
    assert np.abs(fitted.probabilities(rows) - answers(fitted, rows)).max() < 1e-6


@given(
    seed=st.integers(0, 2**32),
    classes=st.integers(2, 5),
    holes=st.booleans(),
    algorithm=st.sampled_from(CLASSIFIERS),
)
@settings(max_examples=12, deadline=None, derandomize=True)
def test_any_table_survives_the_way_through_arrays(seed, classes, holes, algorithm):
    matrix = table(seed, holes)
    fitted = LEARNERS[algorithm].fit(setup(algorithm, classes), (matrix, labels(matrix, classes, seed)), [], 12)
    part = part_of(fitted)
    again = read_part(part_json(part, "m_"), part_arrays(part, "m_"))
    other = table(seed + 1, not holes)
    assert np.abs(fitted.probabilities(other) - bagged([again], other)).max() < 1e-6


@pytest.mark.parametrize("algorithm", BOOSTERS)
def test_a_booster_without_a_single_split_is_a_constant(algorithm):
    matrix, goal = np.zeros((60, 4)), np.arange(60) % 2
    fitted = LEARNERS[algorithm].fit(setup(algorithm, 2), (matrix, goal), [], 3)
    assert fitted.member().probabilities(matrix)[:, 1] == pytest.approx(fitted.probabilities(matrix)[:, 1], abs=1e-7)


@pytest.mark.parametrize("classes", [2, 3])
def test_very_many_trees_add_up_as_in_xgboost(evaluator, classes):
    matrix = table(9, False)
    rows = matrix, labels(matrix, classes, 9)
    params = {"max_depth": 3, "eta": 0.3}
    fitted = LEARNERS[Algorithm.XGBOOST].fit(setup(Algorithm.XGBOOST, classes, params=params), rows, [], 1500)
    other = table(10, False)
    assert np.abs(fitted.probabilities(other) - fitted.member().probabilities(other)).max() < 3e-7


@pytest.mark.parametrize("algorithm", CLASSIFIERS)
def test_a_fold_without_a_class_still_gives_all_columns(algorithm):
    matrix = table(1, True)
    goal = labels(matrix, 3, 1)
    seen = goal != 2
    fitted = LEARNERS[algorithm].fit(setup(algorithm, 3), (matrix[seen], goal[seen]), [], 5)
    answers = fitted.probabilities(matrix)
    assert answers.shape == (ROWS, 3)
    assert answers.sum(axis=1) == pytest.approx(np.ones(ROWS), abs=1e-5)


@pytest.mark.parametrize("algorithm", [*BOOSTERS, Algorithm.EXTRA_TREES])
def test_growing_stops_when_the_time_is_over(algorithm):
    matrix = table(2, False)
    goal = labels(matrix, 2, 2)
    params = params_of(algorithm) | ({"n_estimators": 5000} if algorithm is Algorithm.EXTRA_TREES else {})
    hurried = setup(algorithm, 2, params=params, late=lambda: True)
    assert len(LEARNERS[algorithm].fit(hurried, (matrix, goal), [], 5000).member().roots) <= 10


@pytest.mark.parametrize("algorithm", BOOSTERS)
def test_the_same_seed_gives_the_same_model(algorithm):
    matrix = table(4, True)
    rows = matrix, labels(matrix, 2, 4)
    first, second = (LEARNERS[algorithm].fit(setup(algorithm, 2, threads=2), rows, [], 20).member() for _ in range(2))
    assert np.array_equal(first.threshold, second.threshold)
    assert np.array_equal(first.value, second.value)


@pytest.mark.parametrize("algorithm", CLASSIFIERS)
def test_thirty_rows_with_a_class_that_no_row_has_are_enough(algorithm):
    matrix = table(6, True)
    goal = labels(matrix, 4, 6)
    some = np.flatnonzero(goal != 1)[:30]
    fitted = LEARNERS[algorithm].fit(setup(algorithm, 4), (matrix[some], goal[some]), [(matrix[:9], goal[:9])], 0)
    assert np.abs(fitted.probabilities(matrix) - answers(fitted, matrix)).max() < 1e-6
    assert answers(fitted, matrix).sum(axis=1) == pytest.approx(np.ones(ROWS))


@pytest.mark.parametrize("holes", [False, True], ids=["full", "holes"])
@pytest.mark.parametrize("algorithm", REGRESSORS)
def test_arrays_predict_the_numbers_that_the_library_does(algorithm, holes):
    matrix = table(7, holes)
    goal = np.nansum(matrix * [100.0, 0.1, 20.0, 50.0], axis=1) + 1e4
    fitted = LEARNERS[algorithm].fit(setup(algorithm, 0), (matrix[100:], goal[100:]), [(matrix[:100], goal[:100])], 0)
    rows = hard_rows(matrix, np.zeros(1))
    own, ours = fitted.probabilities(rows), answers(fitted, rows)
    assert ours.shape == (len(rows), 1)
    assert ours == pytest.approx(own, rel=1e-6, abs=1e-6 * np.abs(own).max())
    assert np.corrcoef(ours[:300, 0], goal[:300])[0, 1] > 0.3


@pytest.mark.parametrize("algorithm", [Algorithm.LIGHTGBM, Algorithm.XGBOOST])
def test_text_is_split_by_sets_of_its_categories_where_that_is_asked_for(algorithm):
    rng = np.random.default_rng(8)
    matrix, effect = table(8, False), rng.normal(size=40)
    matrix[:, 3] = rng.integers(0, 40, ROWS)
    goal = (effect[matrix[:, 3].astype(int)] > 0).astype(int)
    codes = (*CODES[:3], ColumnCode("d", ColumnKind.STRING, tuple(map(str, range(40)))))
    params = params_of(algorithm) | {"max_cat_to_onehot": 4} if algorithm is Algorithm.XGBOOST else params_of(algorithm)
    fitted = LEARNERS[algorithm].fit(setup(algorithm, 2, codes=codes, params=params), (matrix, goal), [], 3)
    assert len(fitted.member().set_of)
    ordinal = setup(algorithm, 2, codes=codes, params=params | {"categories": "ordinal"})
    assert not len(LEARNERS[algorithm].fit(ordinal, (matrix, goal), [], 3).member().set_of)


@pytest.mark.skipif(Algorithm.CATBOOST not in LEARNERS, reason="CatBoost is not installed")
@pytest.mark.parametrize("classes", [0, 2, 4])
@pytest.mark.parametrize("one_hot", [2, 50])
def test_catboosts_own_statistics_of_text_are_exact(classes, one_hot):
    rng = np.random.default_rng(9)
    matrix, effect = table(9, True), rng.normal(size=40)
    matrix[:, 3] = np.where(rng.random(ROWS) < 0.1, np.nan, rng.integers(0, 40, ROWS))
    signal = np.where(np.isnan(matrix[:, 3]), 1.0, effect[np.nan_to_num(matrix[:, 3]).astype(int)])
    cuts = np.quantile(signal, [0.25, 0.5, 0.75][: max(0, classes - 1)])
    goal = np.searchsorted(cuts, signal) if classes else signal * 30
    codes = (*CODES[:3], ColumnCode("d", ColumnKind.STRING, tuple(map(str, range(60)))))
    params = params_of(Algorithm.CATBOOST) | {"one_hot_max_size": one_hot}
    fitted = LEARNERS[Algorithm.CATBOOST].fit(
        setup(Algorithm.CATBOOST, classes, codes=codes, params=params), (matrix[100:], goal[100:]), [], 20
    )
    assert bool(own_steps(fitted)) == (one_hot == 2)
    other = table(10, True)
    other[:, 3] = np.where(rng.random(ROWS) < 0.1, np.nan, rng.integers(0, 60, ROWS))
    assert answers(fitted, other) == pytest.approx(fitted.probabilities(other), abs=1e-9)


@pytest.mark.parametrize("algorithm", list(LEARNERS))
def test_columns_at_the_borders_of_float32_or_without_any_value_stop_no_learner(algorithm):
    matrix = table(11, False)
    matrix[::7, 0], matrix[::9, 0], matrix[:, 1], matrix[:, 2] = FLOAT32_MAX, -FLOAT32_MAX, np.nan, 5.0
    reg = TaskKind.BINARY not in TASKS[algorithm]
    goal = np.arange(ROWS) * 1e6 if reg else np.arange(ROWS) % 2
    weighed = setup(algorithm, 0 if reg else 2, class_weights=() if reg else (0.5, 2.0))
    fitted = LEARNERS[algorithm].fit(weighed, (matrix, goal), [], 3)
    own = fitted.probabilities(matrix)
    assert np.isfinite(own).all()
    assert answers(fitted, matrix) == pytest.approx(own, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("algorithm", list(LEARNERS))
@pytest.mark.parametrize("tiny", [1e-310, 1e-300])
def test_numbers_next_to_zero_stop_no_learner(algorithm, tiny):
    matrix = table(14, False)
    matrix[:, 0], matrix[::3, 1] = np.linspace(-tiny, tiny, ROWS), tiny * np.arange(ROWS)[::3]
    reg = TaskKind.BINARY not in TASKS[algorithm]
    goal = np.arange(ROWS) * 1.0 if reg else np.arange(ROWS) % 2
    fitted = LEARNERS[algorithm].fit(setup(algorithm, 0 if reg else 2), (matrix, goal), [], 3)
    own = fitted.probabilities(matrix)
    assert np.isfinite(own).all()
    assert answers(fitted, matrix) == pytest.approx(own, rel=1e-6, abs=1e-6)


def test_a_booster_offers_what_its_library_has_by_that_name():
    catboost, lightgbm, xgboost = (pytest.importorskip(name) for name in ("catboost", "lightgbm", "xgboost"))
    theirs = {
        Algorithm.CATBOOST: signature(catboost.CatBoostClassifier.__init__).parameters,
        Algorithm.LIGHTGBM: lightgbm.basic._ConfigAliases._get_all_param_aliases(),
        Algorithm.XGBOOST: signature(xgboost.XGBModel.__init__).parameters,
    }
    for algorithm, names in theirs.items():
        assert set(LEARNERS[algorithm].more) <= set(names), algorithm


def test_another_name_of_a_hyperparameter_is_none_of_its_algorithms_own_and_means_what_the_library_means():
    lightgbm = pytest.importorskip("lightgbm")
    aliases = lightgbm.basic._ConfigAliases._get_all_param_aliases()
    for algorithm, names in OTHER_NAMES.items():
        if algorithm not in LEARNERS:
            continue
        known = LEARNERS[algorithm].hyperparameters
        others = [other for each in names.values() for other in each]
        assert set(names) <= set(known), algorithm
        assert not set(others) & set(known), algorithm
        assert len(set(others)) == len(others), algorithm
    meant = {other: own for own, others in OTHER_NAMES[Algorithm.LIGHTGBM].items() for other in others}
    assert [alias for own, each in aliases.items() for alias in each if meant.get(alias, own) != own] == []


def test_text_of_which_some_cells_are_missing_is_a_category_for_every_learner():
    matrix = table(12, False)
    matrix[::3, 3] = np.nan
    goal = np.isnan(matrix[:, 3]).astype(int)
    for algorithm in CLASSIFIERS:
        fitted = LEARNERS[algorithm].fit(setup(algorithm, 2), (matrix, goal), [], 30)
        said = answers(fitted, matrix)[:, 1]
        assert said[goal == 1].mean() > said[goal == 0].mean() + 0.2, algorithm


def test_a_featurizer_is_named_by_what_is_done_to_numbers():
    logistic = LEARNERS[Algorithm.LOGISTIC_REGRESSION]
    assert logistic.featurizer_for({"numbers": "scores"}) == "QuantileTransformer"
    assert logistic.featurizer_for({"numbers": "plain"}) == "StandardScalerWrapper"
    assert LEARNERS[Algorithm.LIGHTGBM].featurizer_for({}) == ""


def test_a_model_that_keeps_rows_of_its_table_says_that_it_has_no_fast_path():
    matrix = table(13, False)
    rows = matrix, labels(matrix, 2, 13)
    slow = {a for a in CLASSIFIERS if not getattr(LEARNERS[a].fit(setup(a, 2), rows, [], 2).member(), "fast", True)}
    assert slow == {Algorithm.KNN}
