"""Intervals hold what they promise: in about 95 of 100 samples the truth lies within."""

import numpy as np
import pytest

from core.domain.metrics import TaskKind
from core.ml.live import Answered, calibration_of, cost_of, metrics_of, wilson

COVERED = (0.90, 0.995)


def answered(seed: int, count: int = 300) -> Answered:
    random = np.random.default_rng(seed)
    chances = 1 / (1 + np.exp(-random.normal(-0.5, 1.5, count)))
    labels = (random.random(count) < chances).astype(np.int64)
    said = np.stack([1 - chances, chances], axis=1)
    return Answered(TaskKind.BINARY, labels, said, (chances >= 0.5).astype(np.int64))


def numbers(seed: int, count: int = 300) -> Answered:
    random = np.random.default_rng(seed)
    actual = random.normal(size=count)
    said = actual + random.normal(0.0, 0.5, count)
    return Answered(TaskKind.REGRESSION, actual, said[:, None], np.zeros(count, dtype=np.int64))


@pytest.mark.full
@pytest.mark.parametrize(
    ("sample", "names"),
    [
        (answered, ("AUC_weighted", "accuracy", "log_loss")),
        (numbers, ("root_mean_squared_error", "mean_absolute_error", "r2_score")),
    ],
)
def test_the_truth_lies_within_the_interval(sample, names):
    truth = metrics_of(sample(0, 400_000))
    found = [metrics_of(sample(seed)) for seed in range(1, 101)]
    for name in names:
        within = np.mean([each[name].low <= truth[name].value <= each[name].high for each in found])
        assert COVERED[0] <= within <= COVERED[1], name


def test_a_perfect_ranking_is_not_sure_of_few_rows():
    said = np.array([[0.9, 0.1]] * 30 + [[0.1, 0.9]] * 30)
    labels = np.array([0] * 30 + [1] * 30)
    area = metrics_of(Answered(TaskKind.BINARY, labels, said, labels))["AUC_weighted"]
    assert (area.value, area.high) == (1.0, 1.0)
    assert 0.8 < area.low < 0.95


def test_the_cost_of_a_decision_is_by_what_was_decided():
    rows = Answered(TaskKind.BINARY, np.array([0, 0, 1, 1]), np.full((4, 2), 0.5), np.array([0, 1, 0, 1]))
    assert cost_of(rows, np.array([[0.0, 1.0], [5.0, 0.0]])).value == 1.5


def test_calibration_bins_hold_all_rows_and_shares_near_0_have_intervals_within_0_and_1():
    bins = calibration_of(answered(1, 1_000))
    assert (len(bins), sum(each.rows for each in bins)) == (10, 1_000)
    assert [each.predicted for each in bins] == sorted(each.predicted for each in bins)
    none = wilson(0, 20)
    assert (none.value, none.low) == (0.0, 0.0)
    assert 0.1 < none.high < 0.2
