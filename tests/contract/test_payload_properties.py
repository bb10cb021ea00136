"""What must hold for any signature and any body, however strange."""

import json

import pytest
from bodies import anything, mutated
from hypothesis import given, settings
from hypothesis import strategies as st
from signatures import mixed_signature, signatures

from core.contract.payload import Decoder, ScoreRequest
from core.contract.thorough import ThoroughDecoder
from core.contract.typed import TypedDecoder
from core.domain.errors import PayloadInvalid, PayloadTooLarge


def outcome(decode, body):
    """The request, or the refusal."""
    try:
        return decode(body)
    except (PayloadInvalid, PayloadTooLarge) as e:
        return e


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.data())
def test_the_quick_way_accepts_nothing_that_the_thorough_way_reads_otherwise(data):
    signature = data.draw(signatures() | st.just(mixed_signature()))
    body = data.draw(mutated(signature))
    unseen = data.draw(st.booleans())
    quick = TypedDecoder(signature, accept_unseen=unseen)(body)
    thorough = outcome(ThoroughDecoder(signature, max_rows=100, accept_unseen=unseen), body)
    if quick is not None:
        assert quick == thorough
        assert [list(map(type, c)) for c in quick.columns] == [list(map(type, c)) for c in thorough.columns]


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.binary(max_size=60) | anything.map(lambda value: json.dumps(value).encode()))
def test_no_body_brings_anything_but_a_request_or_a_refusal(body):
    assert isinstance(outcome(Decoder(mixed_signature()), body), ScoreRequest | PayloadInvalid)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.data())
@pytest.mark.contract("E2")
def test_a_refusal_never_shows_more_than_20_problems_of_bounded_length(data):
    result = outcome(Decoder(mixed_signature()), data.draw(mutated(mixed_signature())))
    if isinstance(result, PayloadInvalid):
        assert 1 <= len(result.details) <= 20
        assert all(len(d.problem) < 200 and len(d.column) <= 40 for d in result.details)
