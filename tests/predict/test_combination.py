"""How several models become one: what is written in `model.json` says the same again, and damage is refused."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import ModelUnreadable
from core.predict.combination import COMBINATIONS, Calibration, Combination, Stack, Vote

finite = st.floats(-5, 5)


def probabilities(classes: int, seed: int, rows: int = 20) -> np.ndarray:
    drawn = np.random.default_rng(seed).random((rows, classes)) ** 4
    return drawn / drawn.sum(axis=1, keepdims=True)


def read_back(combination: Combination) -> Combination:
    return COMBINATIONS[combination.kind].from_meta(json.loads(json.dumps(combination.meta())))


@given(st.lists(st.floats(0, 3), min_size=2, max_size=4), st.lists(finite, min_size=2, max_size=5), st.integers(0, 99))
def test_a_stack_gives_probabilities_and_reads_back_as_it_was_written(weights, bias, seed):
    stack = Stack(tuple(weights), tuple(bias))
    said = stack.combined([probabilities(len(bias), seed + at) for at in range(len(weights))])
    assert said.sum(axis=1) == pytest.approx(1)
    assert (said >= 0).all()
    assert read_back(stack) == stack
    assert stack.problem(len(weights), len(bias)) == ""


@given(st.floats(0.2, 4), finite, st.integers(0, 99))
def test_a_calibration_of_two_classes_keeps_the_order_of_the_rows(slope, shift, seed):
    vote = Vote((0.5, 0.5), Calibration(slope, (0.0, shift)))
    both = [probabilities(2, seed), probabilities(2, seed + 1)]
    plain = Vote((0.5, 0.5)).combined(both)
    assert (np.argsort(vote.combined(both)[:, 1]) == np.argsort(plain[:, 1])).all()
    assert read_back(vote) == vote


def test_a_calibration_that_changes_nothing_gives_the_same_probabilities():
    said = probabilities(3, 1)
    assert Vote((1.0,), Calibration(1.0, (0.0, 0.0, 0.0))).combined([said]) == pytest.approx(said, abs=1e-5)


def test_a_single_model_is_answered_by_the_very_numbers_it_gives():
    said = probabilities(2, 1)
    assert (Vote().combined([said]) == said).all()


def test_a_stack_of_a_regression_adds_up_numbers():
    said = Stack((0.5, 2.0), (1.0,)).combined([np.array([[2.0]]), np.array([[3.0]])])
    assert said == pytest.approx(np.array([[8.0]]))


@pytest.mark.parametrize(
    ("kind", "meta"),
    [
        ("vote", {}),
        ("vote", {"weights": "1"}),
        ("vote", {"weights": [None]}),
        ("vote", {"weights": [1.0], "calibration": [1]}),
        ("vote", {"weights": [1.0], "calibration": {"slope": "a", "bias": [0, 0]}}),
        ("vote", {"weights": [1.0], "calibration": {"slope": 1.0}}),
        ("stack", {"weights": [1.0]}),
        ("stack", {"weights": {"0": 1.0}, "bias": [0, 0]}),
    ],
)
def test_damaged_numbers_are_refused(kind, meta):
    with pytest.raises(ModelUnreadable, match="damaged"):
        COMBINATIONS[kind].from_meta(meta)


@pytest.mark.parametrize(
    ("combination", "said"),
    [
        (Vote((0.5, 0.5)), ""),
        (Vote((0.5, 0.6)), "add up to 1"),
        (Vote((1.0,)), "another number of weights"),
        (Vote((1.5, -0.5)), "no number of 0 or more"),
        (Vote((float("nan"), 1.0)), "no number of 0 or more"),
        (Vote((0.5, 0.5), Calibration(1.0, (0.0,))), "1 classes, and there are 2"),
        (Vote((0.5, 0.5), Calibration(0.0, (0.0, 0.0))), "slope above 0"),
        (Vote((0.5, 0.5), Calibration(1.0, (0.0, float("inf")))), "finite"),
        (Stack((1.0, 2.0), (0.0, 0.0)), ""),
        (Stack((1.0,), (0.0, 0.0)), "another number of weights"),
        (Stack((1.0, 1.0), (0.0,)), "1 outputs, and there are 2"),
        (Stack((1.0, -1.0), (0.0, 0.0)), "weights of 0 or more"),
    ],
)
def test_what_does_not_fit_two_models_of_two_classes_is_said(combination, said):
    found = combination.problem(2, 2)
    assert said in found
    assert bool(said) == bool(found)


def test_a_number_is_not_calibrated():
    assert "as if that were a probability" in Vote((1.0,), Calibration(1.0, ())).problem(1, 0)
