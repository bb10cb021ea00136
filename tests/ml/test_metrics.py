import numpy as np
import pytest
from sklearn import metrics as reference

from core.domain.metrics import CLASSIFICATION, METRICS, TaskKind
from core.ml.metrics import SCORERS, auc, evaluate, score


def rows(classes: int, seed: int = 3, size: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities that lean towards them, rounded so that there are ties."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(classes, size, p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum())
    raw = rng.random((size, classes)).round(2) + 0.01 + 0.8 * (labels[:, None] == np.arange(classes))
    return labels, raw / raw.sum(axis=1, keepdims=True)


def test_all_metrics_of_a_classification_are_there():
    assert set(SCORERS) == {metric.name for metric in METRICS.values() if metric.tasks == CLASSIFICATION}
    assert len(SCORERS) == 21


@pytest.mark.parametrize("average", ["macro", "weighted", "micro"])
@pytest.mark.parametrize("classes", [2, 4])
def test_ranking_metrics_agree_with_scikit_learn(classes, average):
    labels, probabilities = rows(classes)
    one_hot = np.eye(classes)[labels]
    expected = reference.roc_auc_score(one_hot, probabilities, average=average)
    assert score(f"AUC_{average}", labels, probabilities) == pytest.approx(expected)
    expected = reference.average_precision_score(one_hot, probabilities, average=average)
    assert score(f"average_precision_score_{average}", labels, probabilities) == pytest.approx(expected)


@pytest.mark.parametrize("average", ["macro", "weighted", "micro"])
@pytest.mark.parametrize("name", ["f1_score", "precision_score", "recall_score"])
@pytest.mark.parametrize("classes", [2, 4])
def test_label_metrics_agree_with_scikit_learn(classes, name, average):
    labels, probabilities = rows(classes)
    expected = getattr(reference, name)(labels, probabilities.argmax(axis=1), average=average, zero_division=0)
    assert score(f"{name}_{average}", labels, probabilities) == pytest.approx(expected)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_other_metrics_agree_with_scikit_learn(classes):
    labels, probabilities = rows(classes)
    said = probabilities.argmax(axis=1)
    found = evaluate(TaskKind.MULTICLASS, labels, probabilities)
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(labels, said))
    assert found["balanced_accuracy"] == pytest.approx(reference.balanced_accuracy_score(labels, said))
    assert found["log_loss"] == pytest.approx(reference.log_loss(labels, probabilities))
    assert found["matthews_correlation"] == pytest.approx(reference.matthews_corrcoef(labels, said))
    chance = 1 / classes
    assert found["norm_macro_recall"] == pytest.approx((found["recall_score_macro"] - chance) / (1 - chance))


def test_weighted_accuracy_weighs_rows_by_the_size_of_their_class():
    labels, probabilities = rows(4)
    said, counts = probabilities.argmax(axis=1), np.bincount(labels)
    expected = reference.accuracy_score(labels, said, sample_weight=counts[labels])
    assert score("weighted_accuracy", labels, probabilities) == pytest.approx(expected)


def test_random_values_have_an_auc_of_a_half_and_ties_count_half():
    assert auc(np.array([True, False, True, False]), np.full(4, 0.3)) == 0.5
    assert auc(np.array([True, False]), np.array([0.9, 0.1])) == 1.0


def test_a_class_that_no_row_has_is_left_out_of_the_averages():
    labels, probabilities = rows(3)
    wider = np.column_stack((probabilities, np.zeros(len(labels))))
    for name in ("AUC_macro", "recall_score_macro", "f1_score_weighted"):
        assert score(name, labels, wider) == pytest.approx(score(name, labels, probabilities))


def test_metrics_that_one_class_does_not_define_are_absent():
    found = evaluate(TaskKind.BINARY, np.zeros(10, int), np.tile([0.7, 0.3], (10, 1)))
    assert "AUC_weighted" not in found
    assert found["accuracy"] == 1.0


def test_a_sure_mistake_costs_much_but_not_infinitely_much():
    assert 30 < score("log_loss", np.array([0]), np.array([[0.0, 1.0]])) < 40
