"""Bodies that are right to accept although a document forbids them, for want of words to allow them."""

import sys

import pytest

from core.checks.proofs.contract import names_fewer_columns, on_a_doubles_border


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        (str(-int(sys.float_info.max)), True),
        (str(17976931348623157 * 10**292 + 1), True),
        ("1" + "0" * 400, False),
        ("1.7976931348623157e308", False),
        ("12", False),
    ],
)
def test_an_integer_on_the_border_of_doubles_is_told_apart(literal: str, expected: bool) -> None:
    assert on_a_doubles_border(f'{{"data": [{{"age": {literal}}}]}}'.encode()) is expected


@pytest.mark.parametrize(
    ("columns", "rows", "expected"),
    [
        ("[]", "[]", False),
        ('["age"]', "[]", True),
        ('["job", "age"]', "[]", True),
        ('["age", "job", "city"]', "[]", False),
        ('["age", "age"]', "[]", False),
        ('["age", "other"]', "[]", False),
        ('["age", 1]', "[]", False),
        ('["age", []]', "[]", False),
        ('"age"', "[]", False),
        ('["age"]', "[[31]]", False),
        ('["age"]', "{}", False),
    ],
)
def test_only_columns_that_may_be_absent_may_be_missing_from_a_split_body_without_rows(columns, rows, expected):
    body = f'{{"input_data": {{"columns": {columns}, "data": {rows}}}}}'.encode()
    assert names_fewer_columns(body, ["age", "job", "city"], ["age"]) is expected


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"input_data": []}', b'{"data": []}', b"\xff", b"[" * 100_000])
def test_no_other_body_is_taken_for_a_split_one(body):
    assert names_fewer_columns(body, ["age"], []) is False
