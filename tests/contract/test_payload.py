"""Bytes to columns: what is accepted, and that everything wrong is said at once."""

import json
import sys
from pathlib import Path

import msgspec
import pytest
from signatures import bank_signature, mixed_signature

from core.contract.payload import Decoder, encode_error
from core.domain.errors import NotFound, PayloadInvalid, PayloadTooLarge

WIRE = Path(__file__).resolve().parents[3] / "shared" / "azure" / "wire"
GOOD = {"count": 3, "rate": 0.25, "flag": True, "colour": "red", "note": "short"}
COLUMNS = ([3], [0.25], [True], ["red"], ["short"])

decode = Decoder(mixed_signature())


def row(**changes):
    return json.dumps({"data": [GOOD | changes]}).encode()


def refused(body: bytes) -> PayloadInvalid:
    with pytest.raises(PayloadInvalid) as caught:
        decode(body)
    return caught.value


@pytest.mark.skipif(not WIRE.exists(), reason="../shared is not here")
@pytest.mark.parametrize(("name", "form"), [("data_v1_812bytes.json", "v1"), ("data_v2_867bytes.json", "v2")])
@pytest.mark.contract("B2")
def test_the_bodies_that_automl_clients_send_are_accepted_as_they_are(name, form):
    body = (WIRE / name).read_bytes()
    request = Decoder(bank_signature(exclude=["duration"]))(body)
    assert (request.form, request.rows, request.method) == (form, 2, "predict")
    assert request.columns[0] == [17, 87]
    assert len(request.columns) == 19


def split(columns, data, **more):
    return json.dumps({"input_data": {"columns": columns, "data": data, **more}}).encode()


@pytest.mark.parametrize(
    "body",
    [
        row(),
        json.dumps({"Inputs": {"data": [GOOD]}}).encode(),
        json.dumps({"Inputs": {"data": [GOOD]}, "GlobalParameters": {}}).encode(),
        split(list(GOOD), [list(GOOD.values())]),
        split(list(GOOD), [list(GOOD.values())], index=[{"any": "thing"}]),
        split([*list(GOOD)[::-1], "id"], [[*list(GOOD.values())[::-1], None]]),
        row(id=7),
        row(id=None),
        row(id=10**30),
        row(count=3.0),
        b'{"data":[{"count":"old","count":3,"rate":0.25,"flag":true,"colour":"red","note":"short"}]}',
        b' {"data" : [ {"note":"short","flag":true,"colour":"r\\u0065d","rate":25e-2,"count":3} ]}\n',
    ],
)
@pytest.mark.contract("B2", "B4")
def test_every_way_to_write_one_row_gives_the_same_columns(body):
    request = decode(body)
    assert request.columns == COLUMNS
    assert [type(v[0]) for v in request.columns] == [int, float, bool, str, str]


@pytest.mark.contract("C2")
def test_numbers_may_be_written_as_integers():
    (rate,) = decode(row(rate=1)).columns[1]
    assert (type(rate), rate) == (float, 1.0)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.contract("C2")
def test_the_largest_number_is_accepted(sign):
    border = sign * sys.float_info.max
    assert decode(row(rate=border)).columns[1] == decode(row(rate=int(border))).columns[1] == [border]


@pytest.mark.parametrize("absent", ["rate", "colour"])
@pytest.mark.contract("C1")
def test_a_nullable_column_may_be_null_or_absent(absent):
    place = list(GOOD).index(absent)
    without = json.dumps({"data": [{k: v for k, v in GOOD.items() if k != absent}]}).encode()
    assert decode(without).columns[place] == [None]
    assert decode(row(**{absent: None})).columns[place] == [None]


@pytest.mark.parametrize("absent", ["rate", "colour"])
@pytest.mark.contract("B4")
def test_in_the_mlflow_form_a_nullable_column_may_be_left_out(absent):
    names = [name for name in GOOD if name != absent]
    assert decode(split(names, [[GOOD[name] for name in names]])).columns[list(GOOD).index(absent)] == [None]
    assert decode(split(names, [])).rows == 0


@pytest.mark.parametrize("body", [b'{"data":[]}', b'{"Inputs":{"data":[]}}', split(list(GOOD), [])])
@pytest.mark.contract("B5")
def test_no_rows_are_an_empty_request(body):
    assert decode(body).rows == 0
    assert decode(body).columns == ([], [], [], [], [])


@pytest.mark.contract("C3")
def test_an_open_text_column_takes_what_was_never_seen():
    assert decode(row(note="never seen")).columns[4] == ["never seen"]


@pytest.mark.contract("C3")
def test_accepting_unseen_categories_opens_closed_columns():
    assert Decoder(mixed_signature(), accept_unseen=True)(row(colour="green")).columns[3] == ["green"]


@pytest.mark.parametrize(
    ("changes", "column", "problem"),
    [
        ({"count": "old"}, "count", 'expected an integer, got "old"'),
        ({"count": 1.5}, "count", "expected an integer, got 1.5"),
        ({"count": True}, "count", "expected an integer, got true"),
        ({"count": None}, "count", "expected an integer, got null"),
        ({"count": 2**63}, "count", "expected a 64-bit integer, got 9223372036854775808"),
        ({"count": 9.3e18}, "count", "expected a 64-bit integer, got 9.3e18"),
        ({"count": [1]}, "count", "expected an integer, got [1]"),
        ({"rate": "1"}, "rate", 'expected a number or null, got "1"'),
        ({"rate": False}, "rate", "expected a number or null, got false"),
        ({"rate": 10**400}, "rate", "expected a 64-bit number or null, got 1000"),
        ({"rate": int(sys.float_info.max) + 1}, "rate", "expected a 64-bit number or null, got 1797"),
        ({"flag": 1}, "flag", "expected true or false, got 1"),
        ({"colour": "Red"}, "colour", 'expected one of "blue", "red" or null, got "Red"'),
        ({"colour": " red"}, "colour", 'expected one of "blue", "red" or null, got " red"; did you mean "red"?'),
        ({"colour": 3}, "colour", "expected a string or null, got 3"),
        ({"note": 3}, "note", "expected a string, got 3"),
        ({"id": {}}, "id", "expected a string, number, boolean or null (the column is unused), got {}"),
        ({"extra": 3}, "extra", "not a column of this model"),
        ({" Count": 3}, " Count", "not a column of this model; did you mean 'count'?"),
        ({"bought": "yes"}, "bought", "the target of this model, not an input: leave it out"),
    ],
)
@pytest.mark.contract("C1", "C2", "C3", "E1")
def test_a_bad_cell_is_named_with_what_was_expected(changes, column, problem):
    (detail,) = refused(row(**changes)).details
    assert (detail.row, detail.column) == (0, column)
    assert detail.problem.startswith(problem)


@pytest.mark.contract("B1")
def test_a_byte_order_mark_before_a_body_is_ignored():
    assert decode(b"\xef\xbb\xbf" + row()) == decode(row())


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "the body is empty"),
        (b"\xff", "not UTF-8: byte 0 is 0xff"),
        (b'{"data":[{"note":"\xed\xa0\x80"}]}', "not UTF-8"),
        (b"\xef\xbb\xbf{}", "expected exactly one of"),
        (b"\xef\xbb\xbf", "the body is empty"),
        (b"{", "not JSON"),
        (b'{"data":[]} x', "not JSON"),
        (b'{"data":[{"rate":NaN}]}', "NaN is not JSON (byte 17): send null for a missing number"),
        (b'{"data":[{"rate":-Infinity}]}', "-Infinity is not JSON (byte 17): send null"),
        (b'{"data":[{"rate": nan, "count": 1}]}', "nan is not JSON (byte 18): send null"),
        (b'{"data":[{"rate":None}]}', "None is not JSON (byte 17): send null"),
        (b'{"data":[{"flag":True}]}', "True is not JSON (byte 17): send true"),
        (b"{'data':[]}", "' is not JSON (byte 1): names and strings need double quotes"),
        (b'{"data":[{"rate":oops}]}', "not JSON: invalid character (byte 17)"),
        (b'{"data":[{"rate":1e999}]}', "expected 64-bit numbers"),
        (b'{"data":[{"count":' + b"9" * 5000 + b"}]}", "expected 64-bit numbers"),
        (b'{"data":[{"note":"\\ud800"}]}', "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[]", "expected an object"),
        (b"null", "expected an object"),
        (b"{}", "expected exactly one of"),
        (b'{"rows":[]}', "expected exactly one of"),
        (b'{"data":[],"Inputs":{"data":[]}}', "got data and Inputs"),
        (b'{"data":[],"extra":1}', "extra: unknown key"),
        (b'{"data":[],"GlobalParameters":{}}', "GlobalParameters: unknown key"),
        (b'{"data":{}}', "data: expected an array, got {}"),
        (b'{"data":[3]}', "expected an object, got 3"),
        (b'{"data":[],"method":"explain"}', 'method: expected "predict" or "predict_proba", got "explain"'),
        (b'{"data":[],"method":null}', "got null"),
        (b'{"Inputs":[]}', "Inputs: expected an object, got []"),
        (b'{"Inputs":{}}', "Inputs.data: required, but missing"),
        (b'{"Inputs":{"data":[],"x":1}}', "Inputs.x: unknown key"),
        (b'{"Inputs":{"data":[]},"GlobalParameters":{"m":1}}', "GlobalParameters.m: unknown key"),
        (b'{"input_data":{"data":[]}}', "input_data.columns: required, but missing"),
        (split(["count", "count"], []), "named twice"),
        (split(["nope"], []), "not a column of this model"),
        (split(["bought"], []), "the target of this model, not an input: leave it out"),
        (split([1], []), "input_data.columns: expected a string, got 1"),
        (split(list(GOOD), [[1]]), "expected 5 values, one per column, got 1"),
        (split(list(GOOD), [{}]), "expected an array, got {}"),
        (split(list(GOOD), [], index=3), "input_data.index: expected an array"),
    ],
)
@pytest.mark.contract("B3", "B4", "E1")
def test_a_bad_envelope_says_what_is_wrong_with_it(body, problem):
    error = refused(body)
    assert any(problem in detail.problem for detail in error.details), error.details
    assert problem in error.message or len(error.details) > 1


@pytest.mark.contract("C1")
def test_a_missing_required_column_is_named_in_each_row():
    error = refused(b'{"data":[{"flag":true,"note":"short"},{"flag":true,"note":"short"}]}')
    assert [(d.row, d.column, d.problem) for d in error.details] == [
        (0, "count", "required, but missing"),
        (1, "count", "required, but missing"),
    ]


@pytest.mark.contract("E2")
def test_all_problems_come_at_once_and_the_message_counts_them():
    body = json.dumps({"data": [GOOD | {"count": "old"}, 7, GOOD | {"flag": 1, "x": 2}], "method": "guess"})
    error = refused(body.encode())
    assert error.message.startswith("5 problems")
    assert [d.row for d in error.details] == [-1, 0, 1, 2, 2]


@pytest.mark.contract("E2")
def test_at_most_20_problems_are_shown_and_all_are_counted():
    error = refused(json.dumps({"data": [GOOD | {"count": "old", "flag": 0}] * 500}).encode())
    assert error.message.startswith("1000 problems")
    assert len(error.details) == 20
    assert [d.row for d in error.details] == [i // 2 for i in range(20)]


@pytest.mark.contract("E2")
def test_values_and_names_are_echoed_in_at_most_40_characters():
    error = refused(row(count="x" * 100, **{"y" * 100: 1}))
    texts = {d.column: d.problem for d in error.details}
    assert max(map(len, texts)) == 40
    assert texts["count"] == f'expected an integer, got "{"x" * 38}…'


def test_one_row_more_than_allowed_is_too_large():
    small = Decoder(mixed_signature(), max_rows=2)
    assert small(json.dumps({"data": [GOOD] * 2}).encode()).rows == 2
    for body in ({"data": [GOOD] * 3}, {"Inputs": {"data": [{}] * 3}}):
        with pytest.raises(PayloadTooLarge, match="3 rows in one request, at most 2"):
            small(json.dumps(body).encode())


def test_many_bad_rows_are_refused_quickly_enough_to_count():
    body = json.dumps({"data": [{f"unknown {i}": 1 for i in range(100)}] * 1000}).encode()
    assert refused(body).message.startswith("103000 problems")


@pytest.mark.contract("E1")
def test_every_error_has_one_shape():
    assert json.loads(encode_error(NotFound("No such thing", hint="Try another"))) == {
        "message": "No such thing. Try another",
        "details": [],
    }
    shown = msgspec.json.decode(encode_error(refused(row(count="old"))))
    assert shown["details"] == [{"row": 0, "column": "count", "problem": 'expected an integer, got "old"'}]
