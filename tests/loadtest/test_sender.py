"""What a blocking client of ours sends a target, and for how long it has patience with a server that is busy."""

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from scripted import HANG_UP, OK, scripted

from core.domain.errors import ServiceUnavailable
from core.domain.proof import Target
from core.loadtest.busy import BUSY, UNAVAILABLE, Patience
from core.loadtest.sender import NoAnswer, Sender

LATER = b"HTTP/1.1 429 Later\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"


def test_a_time_to_come_again_is_read_in_every_notation() -> None:
    patience = Patience()
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=4), usegmt=True)
    assert patience.wait_s(BUSY, "3") == 3
    assert 2 < (patience.wait_s(BUSY, soon) or 0) <= 4
    assert patience.wait_s(BUSY, "Fri, 31 Dec 1999 23:59:59 GMT") == 0
    for untold in ("-0000", "", "soon", None):
        assert patience.wait_s(BUSY, untold) == patience.pause_s


def test_what_asks_to_come_again_is_429_and_a_503_that_says_when() -> None:
    patience = Patience()
    assert patience.wait_s(UNAVAILABLE, None) is None
    assert patience.wait_s(UNAVAILABLE, "1") == 1
    assert patience.wait_s(200, "1") is patience.wait_s(500, None) is None
    assert Patience(unsaid=frozenset({BUSY, UNAVAILABLE})).wait_s(UNAVAILABLE, None) == patience.pause_s


def test_a_body_goes_to_the_targets_path_with_its_key_and_headers() -> None:
    with scripted(lambda n: OK) as (target, requests):
        there = Target(f"{target.url}/api", "the-key", {"azureml-model-deployment": "blue"}, path="/invocations")
        sender = Sender(there)
        assert (sender.score(b"[1]").status, sender.score(b"[1]").body) == (200, b"[]")
        sender.close()
    assert len(requests) == 2
    assert requests[0].startswith(b"POST /api/invocations HTTP/1.1\r\n")
    for header in (b"Authorization: Bearer the-key", b"azureml-model-deployment: blue", b"application/json"):
        assert header in requests[0]


def test_a_server_that_is_busy_at_first_is_asked_again_when_it_said_so() -> None:
    waits: list[float] = []
    with scripted(lambda n: LATER if n < 4 else OK) as (target, requests):
        sender = Sender(target, sleep=waits.append, patience=Patience(tries=10, all_s=math.inf))
        assert sender.score(b"[1]").status == 200
        sender.close()
    assert (waits, len(requests)) == ([2.0, 2.0, 2.0], 4)


def test_a_server_that_hangs_up_gave_no_answer_and_one_that_is_gone_is_not_there() -> None:
    with scripted(lambda n: HANG_UP) as (target, _):
        sender = Sender(target)
        with pytest.raises(NoAnswer, match="reset"):
            sender.score(b"[1]")
    with pytest.raises(ServiceUnavailable, match="Nothing answers at"):
        sender.score(b"[1]")


def test_a_server_that_is_silent_is_given_up() -> None:
    with scripted(lambda n: None) as (target, _):
        sender = Sender(target, hang_s=0.1)
        with pytest.raises(NoAnswer, match="timed out"):
            sender.score(b"[1]")
