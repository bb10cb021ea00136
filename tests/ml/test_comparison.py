"""Two models on the same rows: equal ones are seldom told apart, truly different ones are, the numbers are right."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.ml.comparison import compare

LEVEL = 0.05
"""1 - the confidence that is asked for by default: so often an equal model may be promoted, at most."""


def contest(seed: int, rows: int, edge: float, classes: int = 2, share: float = 0.3) -> tuple[np.ndarray, ...]:
    """Labels and the probabilities of two models that see the same signal, each with noise of its own."""
    random = np.random.default_rng(seed)
    shares = [1 - share, *([share / (classes - 1)] * (classes - 1))]
    labels = np.concatenate([np.arange(classes), random.choice(classes, rows - classes, p=shares)])
    truth = np.eye(classes)[labels] * 1.5 + random.normal(0, 1, (rows, classes))
    both = (truth + random.normal(0, noise, (rows, classes)) for noise in (1.2 - edge, 1.2))
    new, live = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True) for logits in both)
    return labels, new, live


def promoted(metric: str, times: int, rows: int, edge: float, classes: int = 2, share: float = 0.3) -> float:
    """The share of contests in which the new model is called better."""
    contests = (contest(seed, rows, edge, classes, share) for seed in range(times))
    return sum(compare(metric, *each, seed=seed).better for seed, each in enumerate(contests)) / times


EQUAL = [("AUC_weighted", 300, 200, 2, 0.3), ("AUC_weighted", 300, 80, 2, 0.35), ("accuracy", 200, 100, 2, 0.3)]
EQUAL_SLOWER = [
    ("log_loss", 300, 100, 2, 0.3),
    ("AUC_weighted", 200, 60, 2, 0.08),  # too few of a class for DeLong
    ("AUC_weighted", 100, 150, 4, 0.6),
    ("balanced_accuracy", 200, 60, 2, 0.1),
    ("f1_score_weighted", 100, 150, 3, 0.5),
    ("average_precision_score_weighted", 100, 100, 2, 0.2),
]


@pytest.mark.parametrize(
    ("metric", "times", "rows", "classes", "share"),
    [*EQUAL, *(pytest.param(*case, marks=pytest.mark.full) for case in EQUAL_SLOWER)],
)
def test_of_equal_models_no_more_are_promoted_than_is_said(
    metric: str, times: int, rows: int, classes: int, share: float
) -> None:
    assert promoted(metric, times, rows, 0.0, classes, share) <= LEVEL


POWER = [("AUC_weighted", 2, 60, 800), ("accuracy", 2, 60, 1_500)]
POWER_SLOWER = [("log_loss", 2, 30, 800), ("AUC_weighted", 3, 20, 1_000), ("f1_score_macro", 3, 20, 1_500)]


@pytest.mark.parametrize(
    ("metric", "classes", "times", "rows"),
    [*POWER, *(pytest.param(*case, marks=pytest.mark.full) for case in POWER_SLOWER)],
)
def test_a_truly_better_model_is_promoted(metric: str, classes: int, times: int, rows: int) -> None:
    assert promoted(metric, times, rows, 0.9, classes) >= 0.9


def test_a_better_model_is_better_in_every_metric_and_the_live_one_then_is_not() -> None:
    labels, new, live = contest(1, 300, 1.0)
    for metric in ("AUC_weighted", "accuracy", "log_loss", "matthews_correlation"):
        found, turned = compare(metric, labels, new, live), compare(metric, labels, live, new)
        assert found.low <= found.gain <= found.high
        assert found.better
        assert not turned.better
        assert turned.high < 0
        assert found.gain == -turned.gain
        assert (found.new < found.live) == (metric == "log_loss"), "of the log loss, less is better"
        assert found == compare(metric, labels, new, live), "the same rows give the same answer"


@pytest.mark.parametrize("metric", ["AUC_weighted", "AUC_micro", "accuracy", "log_loss", "f1_score_weighted"])
def test_a_model_is_not_better_than_itself(metric: str) -> None:
    labels, new, _ = contest(2, 80, 0.0)
    found = compare(metric, labels, new, new)
    assert (found.gain, found.low, found.high, found.p_value, found.better) == (0, 0, 0, 1, False)


def test_the_interval_of_an_auc_is_that_of_the_bootstrap() -> None:
    labels, new, live = contest(3, 400, 0.5)
    found = compare("AUC_weighted", labels, new, live)
    assert found.new == pytest.approx(roc_auc_score(labels, new[:, 1]))
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(300):
        some = random.integers(0, 400, 400)
        areas = (roc_auc_score(labels[some], model[some][:, 1]) for model in (new, live))
        drawn.append(next(areas) - next(areas))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.008)


@pytest.mark.parametrize(
    ("metric", "rows", "test"),
    [
        ("AUC_weighted", 400, "DeLong"),
        ("accuracy", 60, "McNemar, exact"),
        ("AUC_micro", 60, "bootstrap and permutation"),
    ],
)
def test_which_test_it_was_is_said(metric: str, rows: int, test: str) -> None:
    contested = contest(4, rows, 0.3)
    wide, usual, narrow = (compare(metric, *contested, confidence=level) for level in (0.99, 0.95, 0.8))
    assert usual.test == test
    assert wide.low < usual.low < narrow.low


def test_a_regression_is_compared_by_resampling_its_rows() -> None:
    random = np.random.default_rng(6)
    truth = random.normal(size=400)
    near, far = (truth[:, None] + random.normal(0, spread, (400, 1)) for spread in (0.3, 0.6))
    found = compare("root_mean_squared_error", truth, near, far, resamples=200)
    assert found.better
    assert found.low < found.gain < found.high
    assert not compare("root_mean_squared_error", truth, near, near[::1], resamples=200).better
