"""Probabilities to bytes: each form's reply, classes in their own type."""

import json

import numpy as np
import pytest
from signatures import bank_signature

from core.contract.payload import ScoreRequest, encode_reply
from core.domain.signature import Signature


def request(form="v1", method="predict", rows=2):
    return ScoreRequest(method, form, rows, ())


PROBABILITIES = np.array([[0.25, 0.75], [0.6, 0.4]])


@pytest.mark.parametrize(
    ("form", "reply"),
    [("v1", {"result": ["yes", "no"]}), ("v2", {"Results": ["yes", "no"]}), ("mlflow", ["yes", "no"])],
)
@pytest.mark.contract("B2")
def test_each_form_has_its_reply(form, reply):
    assert json.loads(encode_reply(request(form), bank_signature(), PROBABILITIES)) == reply


@pytest.mark.contract("B6")
def test_probabilities_come_as_one_list_per_row():
    reply = encode_reply(request(method="predict_proba"), bank_signature(), PROBABILITIES)
    assert json.loads(reply) == {"result": [[0.25, 0.75], [0.6, 0.4]]}


@pytest.mark.contract("B7")
def test_the_legacy_reply_is_the_33_bytes_of_early_services():
    reply = encode_reply(request(), bank_signature(), PROBABILITIES, legacy_reply=True)
    assert reply == b'"{\\"result\\": [\\"yes\\", \\"no\\"]}"'
    assert len(reply) == 33


def test_only_the_v1_form_has_a_legacy_reply():
    assert (
        encode_reply(request("v2"), bank_signature(), PROBABILITIES, legacy_reply=True) == b'{"Results":["yes","no"]}'
    )


@pytest.mark.parametrize(
    ("classes", "text"), [((0, 1), b"[1,0]"), ((False, True), b"[true,false]"), (("0", "1"), b'["1","0"]')]
)
@pytest.mark.contract("B6")
def test_classes_keep_their_json_type(classes, text):
    reply = encode_reply(request("mlflow"), Signature((), "y", classes), PROBABILITIES)
    assert reply == text


@pytest.mark.contract("B6")
def test_a_threshold_decides_for_the_positive_class_from_its_value_up():
    signature = Signature((), "y", ("a", "b", "c"), positive_class="b", threshold=0.3)
    probabilities = np.array([[0.6, 0.3, 0.1], [0.5, 0.29, 0.21], [0.2, 0.1, 0.7]])
    assert encode_reply(request("mlflow"), signature, probabilities) == b'["b","a","c"]'


@pytest.mark.contract("B5")
def test_an_empty_request_has_an_empty_result():
    assert encode_reply(request(rows=0), bank_signature(), np.empty((0, 2))) == b'{"result":[]}'
