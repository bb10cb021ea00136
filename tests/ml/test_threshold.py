"""From what it costs to be wrong to the probability from which the positive class is predicted."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_doubles import Searching

from core.contract.decision import decide
from core.domain.errors import SpecInvalid
from core.domain.metrics import TaskKind
from core.domain.signature import Signature
from core.domain.training import Cost
from core.ml.ensembles.threshold import costs_of, decided_by, decision_of

ROWS = 4_000


def problem(*classes, kind=TaskKind.BINARY):
    return SimpleNamespace(kind=kind, signature=Signature((), "y", classes))


def chances(seed: int = 1, rows: int = ROWS):
    random = np.random.default_rng(seed)
    positive = random.beta(1, 3, rows)
    return (random.random(rows) < positive).astype(np.int64), positive, random.permutation(np.arange(rows) % 5)


def test_what_is_not_named_costs_one_and_a_right_answer_nothing():
    assert costs_of([Cost("yes", "no", 5)], problem("no", "yes")).tolist() == [[0, 1], [5, 0]]
    assert costs_of([], problem("no", "yes")) is None


@pytest.mark.parametrize("classes", [(0, 1), ("0", "1"), (False, True)])
def test_classes_are_known_by_their_text(classes):
    names = [str(c).lower() for c in classes]
    assert costs_of([Cost(names[1], names[0], 9)], problem(*classes))[1, 0] == 9


def test_other_classes_are_refused_with_those_that_there_are():
    with pytest.raises(SpecInvalid, match="names a class 'maybe'") as refused:
        costs_of([Cost("maybe", "no", 5)], problem("no", "yes"))
    assert "no, yes" in refused.value.hint


def test_of_several_classes_the_one_that_is_expected_to_cost_least_is_predicted():
    several = problem("a", "b", "c", kind=TaskKind.MULTICLASS)
    costs = costs_of([Cost("c", "a", 9), Cost("c", "b", 9)], several)
    said = np.array([[0.6, 0.2, 0.2], [0.9, 0.05, 0.05], [0.1, 0.8, 0.1]])
    signature, note = decided_by(costs, several.signature, np.array([2, 0, 1]), said, np.zeros(3, dtype=int))
    assert decide(signature, said) == ["c", "a", "c"]  # 1.8 is expected of a false "a", 0.8 of a false "c"
    assert signature.threshold is None
    assert "costs 0.3333 on average, against 3 with the most probable class" in note


def test_classes_that_there_are_not_are_refused_before_anything_is_trained(tmp_path):
    searching = Searching(tmp_path)
    with pytest.raises(SpecInvalid, match="names a class"):
        searching.run(spec={"cost_matrix": (Cost("perhaps", "no", 5),)})
    assert not searching.trials.tasks


@pytest.mark.parametrize(("miss", "expected"), [(1, 0.5), (4, 0.2), (9, 0.1)])
def test_true_probabilities_have_the_threshold_that_theory_says(miss, expected):
    labels, positive, blocks = chances()
    found = decision_of(np.array([[0.0, 1.0], [miss, 0.0]]), labels, positive, blocks)
    assert found.threshold == pytest.approx(expected, abs=0.05)
    assert found.cost <= found.cost_at_half + 1e-9


def test_the_class_that_is_predicted_from_the_threshold_up_is_named():
    labels, positive, blocks = chances()
    said = decision_of(np.array([[0.0, 1.0], [4.0, 0.0]]), labels, positive, blocks).note("bad")
    assert "'bad' is predicted from a probability of 0.2" in said


def test_probabilities_that_are_far_off_have_the_threshold_that_was_cheapest():
    labels, positive, blocks = chances()
    found = decision_of(np.array([[0.0, 1.0], [4.0, 0.0]]), labels, positive / 4, blocks)
    assert found.threshold == pytest.approx(0.05, abs=0.02)
    assert found.cost < 0.8 * found.cost_at_half


def test_what_never_costs_more_is_always_said():
    labels, positive, blocks = chances()
    found = decision_of(np.array([[0.0, 0.0], [1.0, 0.0]]), labels, np.maximum(positive, 0.01), blocks)
    assert found.threshold == 0


def test_of_two_probabilities_with_none_between_them_the_higher_one_is_the_threshold():
    low = 0.75
    high = np.nextafter(low, 1)
    labels, positive = np.repeat([0, 1], 50), np.repeat([low, high], 50)
    found = decision_of(np.array([[0.0, 1.0], [1.0, 0.0]]), labels, positive, np.arange(100) % 5)
    assert found.threshold == high
    assert found.cost == 0


def test_the_stated_cost_holds_on_fresh_rows():
    costs, apart = np.array([[0.0, 1.0], [7.0, 0.0]]), []
    fresh, their, _ = chances(99, 200_000)
    for seed in range(20):
        labels, positive, blocks = chances(seed, 400)
        found = decision_of(costs, labels, positive, blocks)
        apart.append(found.cost - costs[fresh, (their >= found.threshold).astype(int)].mean())
    assert abs(np.mean(apart)) < 2.5 * np.std(apart) / np.sqrt(len(apart))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-5, 20), min_size=4, max_size=4), st.integers(0, 99))
def test_no_matrix_makes_a_threshold_that_costs_more_than_always_saying_the_same(costs, seed):
    matrix = np.array(costs).reshape(2, 2)
    labels, positive, blocks = chances(seed, 200)
    found = decision_of(matrix, labels, positive, blocks)
    spent = matrix[labels, (positive >= found.threshold).astype(int)].mean()
    assert 0 <= found.threshold <= 1
    always = min(matrix[labels, 0].mean(), matrix[labels, 1].mean())
    assert spent <= always + 0.15 * np.abs(matrix).max() / np.sqrt(len(labels)) + 1e-9
