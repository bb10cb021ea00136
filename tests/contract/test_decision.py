"""Probabilities to labels: one rule, whoever asks."""

import json

import numpy as np
import pytest

from core.contract.decision import decide, may_decide
from core.contract.payload import ScoreRequest, encode_reply
from core.domain.signature import Signature
from core.predict.encoder import Encoder
from core.predict.folder import Predictor

THREE = Signature((), "y", ("a", "b", "c"), positive_class="b", threshold=0.3)
RULES = {
    "no threshold": Signature((), "y", ("a", "b")),
    "two classes": Signature((), "y", ("a", "b"), positive_class="b", threshold=0.5),
    "the first is positive": Signature((), "y", ("a", "b"), positive_class="a", threshold=0.5),
    "three classes": THREE,
    "1 before true": Signature((), "y", (1, True), positive_class=True, threshold=0.3),
    "true before 1": Signature((), "y", (True, 1), positive_class=1, threshold=0.3),
    "costs": Signature((), "y", ("a", "b", "c"), costs=((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (6.0, 4.0, -0.5))),
    "no positive class": Signature((), "y", ("a", "b", "c"), threshold=0.3),
}


def told(signature: Signature, rows: list[list[float]]) -> tuple[list, list]:
    """The labels of the server's reply, and those of the model behind another door (MLflow's)."""
    probabilities = np.array(rows)
    reply = encode_reply(ScoreRequest("predict", "mlflow", len(rows), ()), signature, probabilities)
    return json.loads(reply), Predictor(signature, Encoder(()), ()).labels(probabilities)


@pytest.mark.contract("B6")
def test_of_three_classes_too_the_positive_one_is_told_from_the_threshold_up():
    rows = [[0.6, 0.3, 0.1], [0.5, 0.29, 0.21], [0.2, 0.1, 0.7]]
    assert told(THREE, rows) == (["b", "a", "c"], ["b", "a", "c"])


def test_of_others_that_are_as_probable_the_first_is_told():
    assert told(THREE, [[0.4, 0.2, 0.4], [0.0, 0.3, 0.7]]) == (["a", "b"], ["a", "b"])


@pytest.mark.contract("B6")
@pytest.mark.parametrize("classes", [(1, True), (True, 1)])
def test_true_is_another_class_than_1(classes):
    signature = Signature((), "y", classes, positive_class=True, threshold=0.3)
    at = [type(c) for c in classes].index(bool)
    row = [0.6, 0.6]
    row[at] = 0.4
    served, elsewhere = told(signature, [row])
    assert [type(label) for label in served + elsewhere] == [bool, bool]


@pytest.mark.parametrize("name", RULES)
def test_the_server_and_the_model_elsewhere_say_the_same(name):
    signature = RULES[name]
    draws = np.random.default_rng(7).dirichlet(np.ones(len(signature.classes)), 500).round(1)
    served, elsewhere = told(signature, draws.tolist())
    assert [(type(label), label) for label in served] == [(type(label), label) for label in elsewhere]
    assert elsewhere == decide(signature, draws)
    for label, row in zip(elsewhere, draws.tolist(), strict=True):
        assert (type(label), label) in [(type(c), c) for c in may_decide(signature, signature.classes, row, tie=0)]


def test_a_row_within_the_tie_may_go_either_way_and_no_further():
    may = lambda *row: may_decide(THREE, THREE.classes, row, tie=0.01)  # noqa: E731
    assert may(0.5, 0.295, 0.2) == ["b", "a"]
    assert may(0.4, 0.2, 0.4) == ["a", "c"]
    assert may(0.3, 0.4, 0.3) == ["b"]
    assert may_decide(THREE, ("c", "b", "a"), (0.4, 0.2, 0.4), tie=0) == ["c", "a"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_by_costs_the_class_that_is_expected_to_cost_least_is_told_and_what_is_as_cheap_may_be(order):
    signature, row = RULES["costs"], [0.6, 0.2, 0.2]
    assert decide(signature, np.array([row])) == ["c"]  # 0.7 is expected of it, 1.4 of "a" and of "b"
    names = [signature.classes[at] for at in order]
    assert may_decide(signature, names, [row[at] for at in order], tie=1e-9) == ["c"]
    even = Signature((), "y", ("a", "b", "c"), costs=((0.0, 2.0, 9.0), (1.0, 0.0, 9.0), (9.0, 9.0, 0.0)))
    assert may_decide(even, ("a", "b", "c"), [1 / 3, 2 / 3, 0.0], tie=1e-9) == ["a", "b"]
    assert may_decide(even, ("a", "b", "c"), [0.3, 0.7, 0.0], tie=1e-9) == ["b"]
