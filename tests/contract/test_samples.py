"""Samples are valid by construction, and repeat with their seed."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signatures import bank_signature, mixed_signature, signatures

from core.contract import samples
from core.contract.payload import Decoder
from core.domain.data import ColumnKind
from core.domain.errors import SpecInvalid
from core.domain.signature import Column, Signature


@settings(max_examples=80, derandomize=True, deadline=None)
@given(signatures(), st.sampled_from(["v1", "v2", "mlflow"]), st.sampled_from([None, "predict", "predict_proba"]))
def test_samples_decode_to_the_batch_they_were_made_of(signature, form, method):
    rows = samples.rows(signature, 5, seed=1)
    request = Decoder(signature)(samples.body(rows, form, method))
    assert request.columns == samples.batch(signature, rows)
    assert (request.rows, request.form, request.method) == (5, form, method or "predict")


@settings(max_examples=60, derandomize=True, deadline=None)
@given(signatures())
def test_the_typical_row_is_valid(signature):
    assert Decoder(signature)(samples.body([samples.typical_row(signature)])).rows == 1


def test_the_same_seed_gives_the_same_rows():
    signature = mixed_signature()
    assert samples.rows(signature, 20, seed=4) == samples.rows(signature, 20, seed=4)
    assert samples.rows(signature, 20, seed=4) != samples.rows(signature, 20, seed=5)


def test_samples_reach_every_level_and_stay_in_the_observed_range():
    rows = samples.rows(bank_signature(), 400, seed=0)
    assert {row["marital"] for row in rows} == {"divorced", "married", "single", "unknown"}
    assert all(17 <= row["age"] <= 98 for row in rows)
    assert {type(row["age"]) for row in rows} == {int}


def test_samples_have_nulls_where_a_column_allows_them_and_unseen_text_where_it_is_open():
    rows = samples.rows(mixed_signature(), 400, seed=0)
    assert any(row["rate"] is None for row in rows)
    assert all(row["count"] is not None for row in rows)
    assert any(row["note"] not in ("long", "short") for row in rows)
    assert {row["colour"] for row in rows} == {"blue", "red", None}


def test_a_body_without_a_method_does_not_name_one():
    assert set(json.loads(samples.body([{"a": 1}]))) == {"data"}


def test_an_unknown_form_is_refused():
    with pytest.raises(SpecInvalid, match="v3"):
        samples.body([], "v3")


def test_a_column_may_span_all_that_64_bits_hold():
    """A range wider than a double overflowed to infinity, and integers were drawn beyond 64 bits."""
    columns = (
        Column("wide", ColumnKind.NUMBER, False, typical=0.0, low=-1.7e308, high=1.7e308),
        Column("whole", ColumnKind.INTEGER, False, typical=0, low=-(2.0**63), high=2.0**63),
    )
    signature = Signature(columns, "y", (0, 1), 1)
    rows = samples.rows(signature, 200, seed=1)
    assert Decoder(signature)(samples.body(rows)).rows == 200
    assert len({row["wide"] for row in rows}) == 200
