"""What a model is said to take for one row follows from its arrays."""

from dataclasses import replace

import numpy as np

from core.predict.cost import predict_ms
from core.predict.forest import Forest
from core.predict.part import Part
from core.predict.steps import Arithmetic

ADDED = Arithmetic(np.array([0]), np.array([0]), np.array([0]))


def stump() -> Forest:
    """One tree of two leaves."""
    whole, places = np.zeros(3), np.array([0, 1, 2], np.int32)
    left, right = np.array([1, 1, 2], np.int32), np.array([2, 1, 2], np.int32)
    return Forest(
        places[:1], 0 * places, whole, left, right, whole > 0, whole, 0 * places[:1], np.zeros(1), np.zeros(0)
    )


def test_more_trees_columns_and_parts_take_longer():
    one, made = Part(stump()), Part(stump(), steps=(ADDED,))
    assert 0.004 < predict_ms([one]) < predict_ms([made]) < 0.1
    other = Part(replace(stump(), link="value"))
    assert predict_ms([one, other]) > predict_ms([one]) + predict_ms([other]) - 1e-9, "they answer one by one"


def test_forests_that_answer_in_one_call_take_less_than_one_by_one():
    for steps in ((), (ADDED,)):
        folds = [Part(stump(), 0.2, steps)] * 5
        assert predict_ms(folds[:1]) < predict_ms(folds) < 2 * predict_ms(folds[:1])
