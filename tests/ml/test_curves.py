"""The charts, the threshold table and the groups, against scikit-learn and by their own laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from core.domain.data import ColumnKind
from core.domain.explanation import CurveName, Outcomes
from core.domain.metrics import TaskKind
from core.domain.signature import Column, Signature
from core.ml.explain.curves import POINTS, curves_of
from core.ml.explain.fairness import GROUPS_MAX, MISSING, OTHERS, fairness_of
from core.ml.explain.thresholds import ENTRIES, thresholds_of

COLUMNS = (Column("x", ColumnKind.NUMBER, False),)
TWO = Signature(COLUMNS, "y", ("no", "yes"), "yes")
THREE = Signature(COLUMNS, "y", ("a", "b", "c"))
NUMBER = Signature(COLUMNS, "y", ())


@pytest.fixture(scope="module")
def answers():
    """Labels of 3,000 rows and what is said of them, in steps, so that there are ties."""
    random = np.random.default_rng(4)
    labels = (random.random(3000) < 0.2).astype(int)
    p = np.round(np.clip(0.2 + 0.35 * labels + random.normal(0, 0.2, 3000), 0, 1), 3)
    return labels, np.column_stack((1 - p, p))


@pytest.fixture(scope="module")
def charts(answers):
    return curves_of(TaskKind.BINARY, TWO, *answers)


def test_a_roc_curve_is_scikit_learns(answers, charts):
    labels, said = answers
    rates, true_rates, _ = sk.roc_curve(labels, said[:, 1], drop_intermediate=False)
    curve = charts.of(CurveName.ROC)
    assert curve.area == pytest.approx(sk.roc_auc_score(labels, said[:, 1]))
    assert set(zip(np.round(curve.x, 9), np.round(curve.y, 9), strict=True)) <= set(
        zip(rates.round(9), true_rates.round(9), strict=True)
    )
    assert len(curve.x) <= POINTS
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert sk.auc(curve.x, curve.y) == pytest.approx(curve.area, abs=1e-3), "the thinned curve has its area"


def test_precision_and_recall_are_scikit_learns(answers, charts):
    labels, said = answers
    precision, recall, _ = sk.precision_recall_curve(labels, said[:, 1])
    theirs = set(zip(recall.round(9), precision.round(9), strict=True))
    curve = charts.of(CurveName.PRECISION_RECALL)
    assert set(zip(np.round(curve.x[1:], 9), np.round(curve.y[1:], 9), strict=True)) <= theirs
    assert curve.area == pytest.approx(sk.average_precision_score(labels, said[:, 1]))


def test_gains_and_lift_say_how_much_of_the_class_is_on_top(answers, charts):
    labels, said = answers
    gains, lift = charts.of(CurveName.GAINS), charts.of(CurveName.LIFT)
    top = np.argsort(-said[:, 1], kind="stable")[:300]
    at = gains.x.index(0.1)
    assert gains.y[at] == pytest.approx(labels[top].sum() / labels.sum(), abs=0.01)
    assert lift.y[at - 1] == pytest.approx(gains.y[at] / 0.1)
    assert lift.y[-1] == pytest.approx(1)


def test_calibration_has_every_row_once(answers, charts):
    labels, said = answers
    curve = charts.of(CurveName.CALIBRATION)
    assert sum(curve.rows) == len(labels)
    assert np.dot(curve.y, curve.rows) == pytest.approx(labels.sum())
    assert np.dot(curve.x, curve.rows) == pytest.approx(said[:, 1].sum())
    assert list(curve.x) == sorted(curve.x)


def test_a_confusion_matrix_is_scikit_learns(answers, charts):
    labels, said = answers
    assert np.array_equal(charts.confusion, sk.confusion_matrix(labels, said.argmax(axis=1)))


def test_each_of_several_classes_stands_against_the_rest():
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 500)
    said = random.dirichlet((1, 1, 1), 500)
    charts = curves_of(TaskKind.MULTICLASS, THREE, labels, said)
    for place, name in enumerate(THREE.classes):
        assert charts.of(CurveName.ROC, name).area == pytest.approx(sk.roc_auc_score(labels == place, said[:, place]))
    assert np.array_equal(charts.confusion, sk.confusion_matrix(labels, said.argmax(axis=1)))


def test_a_class_that_never_comes_has_no_curve():
    labels = np.array([0, 1, 0, 1])
    charts = curves_of(TaskKind.MULTICLASS, THREE, labels, np.full((4, 3), 1 / 3))
    assert charts.of(CurveName.ROC, "c") is None
    assert charts.of(CurveName.ROC, "a").area == 0.5


def test_a_regression_has_residuals_and_what_was_predicted_against_what_is_true():
    random = np.random.default_rng(2)
    truth = random.normal(10, 3, 1000)
    said = truth + random.normal(0, 1, 1000)
    charts = curves_of(TaskKind.REGRESSION, NUMBER, truth, said[:, None])
    residuals, against = charts.of(CurveName.RESIDUALS), charts.of(CurveName.PREDICTED_TRUE)
    assert sum(residuals.rows) == sum(against.rows) == 1000
    assert np.dot(residuals.x, residuals.rows) / 1000 == pytest.approx((truth - said).mean(), abs=0.1)
    assert np.corrcoef(against.x, against.y)[0, 1] > 0.99
    assert charts.confusion == ()


def test_a_threshold_table_counts_as_scikit_learn_does(answers):
    labels, said = answers
    table = thresholds_of(TWO, labels, said, 1)
    assert len(table.thresholds) == ENTRIES
    for threshold in (0.0, 0.123, 0.5, 0.9, 1.0):
        tn, fp, fn, tp = sk.confusion_matrix(labels, said[:, 1] >= threshold, labels=[0, 1]).ravel()
        at = table.place(threshold)
        assert table.counts(at) == (tp, fp, tn, fn)
        if tp + fp:
            assert table.rates(at)["precision"] == pytest.approx(tp / (tp + fp))
            assert table.rates(at)["f1"] == pytest.approx(sk.f1_score(labels, said[:, 1] >= threshold))


def test_the_best_threshold_is_the_most_profitable(answers):
    table = thresholds_of(TWO, *answers, 1)
    worth = Outcomes(true_positive=10, false_positive=-2, false_negative=-5, true_negative=0.5)
    profits = table.profits(worth)
    best = table.best(worth)
    assert profits[best] == max(profits)
    tp, fp, tn, fn = table.counts(best)
    assert profits[best] == pytest.approx(10 * tp - 2 * fp - 5 * fn + 0.5 * tn)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=30))
def test_every_threshold_counts_every_row_once(rows):
    labels = np.array([int(flag) for flag, _ in rows])
    p = np.array([value for _, value in rows])
    table = thresholds_of(TWO, labels, np.column_stack((1 - p, p)), 1)
    totals = {sum(table.counts(at)) for at in range(ENTRIES)}
    assert totals == {len(rows)}
    assert list(table.true_positives) == sorted(table.true_positives, reverse=True)
    assert table.counts(0)[3] == 0, "at 0 everything is said to be of the class"


def test_groups_are_told_apart_by_value_range_and_absence(answers):
    labels, said = answers
    random = np.random.default_rng(0)
    sex = [str(value) if value else None for value in random.choice(["f", "m", ""], 3000)]
    found = fairness_of("sex", sex, labels, said, 1, "yes", 0.4)
    assert {group.name for group in found.groups} == {"f", "m", MISSING}
    women = np.array([value == "f" for value in sex])
    group = next(g for g in found.groups if g.name == "f")
    flagged = said[women, 1] >= 0.4
    assert group.rows == women.sum()
    assert group.positive_rate == pytest.approx(labels[women].mean())
    assert group.predicted_rate == pytest.approx(flagged.mean())
    assert group.true_positive_rate == pytest.approx(sk.recall_score(labels[women], flagged))
    assert group.precision == pytest.approx(sk.precision_score(labels[women], flagged))
    assert group.auc == pytest.approx(sk.roc_auc_score(labels[women], said[women, 1]))
    ages = [float(value) for value in random.normal(40, 10, 3000)]
    by_age = fairness_of("age", ages, labels, said, 1, "yes", 0.4)
    assert len(by_age.groups) == 4
    assert sum(group.rows for group in by_age.groups) == 3000
    many = [f"town {value}" for value in random.integers(0, 200, 3000)]
    by_town = fairness_of("town", many, labels, said, 1, "yes", 0.4)
    assert len(by_town.groups) == GROUPS_MAX + 1
    assert by_town.groups[0].name == OTHERS
    assert sum(group.rows for group in by_town.groups) == 3000


def test_a_group_without_a_positive_has_no_rate_to_tell():
    labels, p = np.array([0, 0, 1, 1]), np.array([0.1, 0.9, 0.2, 0.8])
    found = fairness_of("x", ["a", "a", "b", "b"], labels, np.column_stack((1 - p, p)), 1, "yes", 0.95)
    lone = next(group for group in found.groups if group.name == "a")
    assert (lone.true_positive_rate, lone.precision, lone.auc) == (None, None, None)
    assert lone.false_positive_rate == 0
