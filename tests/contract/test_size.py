"""Rows and values are counted in the bytes: right, and in memory that what is built of them would not fit in."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signatures import bank_signature

from core.contract import samples, size
from core.contract.payload import Decoder
from core.domain.data import ColumnKind
from core.domain.errors import PayloadInvalid, PayloadTooLarge
from core.domain.signature import Column, Signature

BODY_BYTES = 8 * 1024 * 1024
MEMORY_MAX_MB = 40
"""Five times the body; built, these bodies take ten to a hundred times their length."""

# Rows of nothing are right where every column may be absent.
ABSENT = Signature(
    tuple(Column(f"c{i}", ColumnKind.NUMBER, nullable=True) for i in range(20)), "y", ("no", "yes"), "yes"
)

texts = st.text(st.sampled_from('ab"\\\\,[]{}:\u00e9\u20ac\n'), max_size=6)
json_values = st.recursive(
    st.none() | st.integers(-9, 9) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
chunks = st.integers(1, 40)


def bodies(rows: list[Any]) -> list[dict[str, Any]]:
    """The rows in each form, with rows of nobody beside them."""
    return [
        {"method": "[,", "data": rows},
        {"GlobalParameters": {"method": [1, 2, 3]}, "Inputs": {"data": rows, "more": [[], []]}},
        {"params": {}, "input_data": {"index": [[1, 2], 3], "columns": ["a", "b"], "data": rows}},
    ]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(json_values, min_size=1, max_size=6), chunks, st.booleans(), st.sampled_from([None, 1]))
def test_the_rows_of_every_form_are_counted_whatever_they_hold(rows, chunk_bytes, ascii_only, indent):
    for body in bodies(rows):
        sent = json.dumps(body, ensure_ascii=ascii_only, indent=indent).encode()
        assert size.rows(sent, chunk_bytes=chunk_bytes) == len(rows)
        assert size.rows(b"\xef\xbb\xbf" + sent, chunk_bytes=chunk_bytes) == len(rows)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(json_values, chunks)
def test_no_more_values_are_built_than_were_counted(value, chunk_bytes):
    sent = json.dumps(value, ensure_ascii=False).encode()
    assert _built(value) <= 1 + 2 * size.values(sent, chunk_bytes=chunk_bytes) <= 1 + 4 * _built(value)


def _built(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(_built(each) for each in value.values())
    return 1 + sum(map(_built, value)) if isinstance(value, list) else 1


def filled(start: bytes, unit: bytes, end: bytes) -> tuple[bytes, int]:
    """A large body, full of one thing, and how many there are."""
    times = (BODY_BYTES - len(start) - len(end)) // len(unit)
    return start + (unit * times).rstrip(b",") + end, times


TOO_MANY_ROWS = {
    "v1": (b'{"data":[', b"{},", b"]}"),
    "v1 behind its method": (b'{"method":"predict","data":[', b"{},", b"]}"),
    "v1 behind a byte order mark": (b'\xef\xbb\xbf{"data":[', b"{},", b"]}"),
    "v2": (b'{"Inputs":{"data":[', b"{},", b"]}}"),
    "mlflow": (b'{"input_data":{"columns":["c1"],"data":[', b"[1],", b"]}}"),
    "mlflow of nothing": (b'{"input_data":{"columns":[],"data":[', b"[],", b"]}}"),
}
NO_REQUEST = {
    "cut short": (b'{"data":[', b"{},", b""),
    "rows of numbers": (b'{"data":[', b"1,", b"]}"),
    "rows of texts": (b'{"data":[', b'"ab",', b"]}"),
    "a row of lists": (b'{"data":[{"c1":[', b"[],", b"]}]}"),
    "no form": (b'{"x":[', b"{},", b"]}"),
    "a list": (b"[", b"[],", b"]"),
    "escapes": (b'{"data":[{"c\\"1":[', b'"\\\\",', b"]}]}"),
}


@pytest.mark.contract("E4")
@pytest.mark.parametrize("signature", [ABSENT, bank_signature()], ids=["all may be absent", "all are required"])
@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        *(pytest.param(body, PayloadTooLarge, id=name) for name, body in TOO_MANY_ROWS.items()),
        *(pytest.param(body, PayloadInvalid, id=name) for name, body in NO_REQUEST.items()),
    ],
)
def test_a_large_body_of_the_smallest_things_is_refused_without_being_built(signature, body, refusal):
    decoder, (sent, rows) = Decoder(signature), filled(*body)
    tracemalloc.start()
    try:
        with pytest.raises(refusal) as refused:
            decoder(sent)
        peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
    assert peak_mb < MEMORY_MAX_MB
    if refusal is PayloadTooLarge:
        assert refused.value.message == f"{rows} rows in one request, at most 10000 are accepted"


@pytest.mark.contract("E4")
@pytest.mark.parametrize("form", ["v1", "v2", "mlflow"])
def test_as_many_rows_as_are_allowed_are_taken_whatever_they_hold(form):
    signature = Signature((Column("note", ColumnKind.STRING, nullable=False),), "y", ("no", "yes"), "yes")
    rows = [{"note": '{[,"\\' * 100}] * 50
    assert Decoder(signature, max_rows=50)(samples.body(rows, form)).rows == 50
    with pytest.raises(PayloadTooLarge, match=r"^51 rows in one request, at most 50 are accepted$"):
        Decoder(signature, max_rows=50)(samples.body([*rows, rows[0]], form))
