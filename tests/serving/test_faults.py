"""Bugs of the server, wherever they are raised: a 500 with a line in the log, and never a word of them to a client."""

import logging
from typing import Any

import pytest
from serving_fakes import BODY, SCORE_HEAD, Client, parsed

from core.serving.app import App
from core.serving.exchange import Exchange
from core.serving.http import Head, Reply
from core.serving.state import Snapshot

SECRET = "a value of a request"
SCORED = SCORE_HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY


class FailsAtTheHead(App):
    def begin(self, head: Head, *_: Any) -> Any:
        raise RuntimeError(SECRET)


class FailsAtTheBody(App):
    """Asking for the limits fails once a request was let in, as it does in the middle of a body."""

    let_in = False

    def begin(self, head: Head, *_: Any) -> Any:
        self.let_in = True
        return super().begin(head)

    @property
    def now(self) -> Snapshot:
        if self.let_in:
            self.let_in = False
            raise RuntimeError(SECRET)
        return super().now


class FailsAtTheReply(App):
    def encode(self, exchange: Exchange, reply: Reply, **_: Any) -> bytes:
        raise RuntimeError(SECRET)


def with_app(client: Client, kind: type[App]) -> None:
    client.app.close()
    client.app = kind(client.state, client.telemetry, draw=lambda: 0.0, metrics=client.metrics)


@pytest.mark.contract("E5")
@pytest.mark.parametrize("kind", [FailsAtTheHead, FailsAtTheBody])
def test_a_bug_while_a_request_is_read_is_500_and_logged(client, caplog, kind):
    with_app(client, kind)
    with caplog.at_level(logging.ERROR, logger="core.serving"):
        raw = client.talk(SCORED)
    status, headers, body = parsed(raw)
    assert (status, headers["connection"]) == (500, "close")
    assert SECRET not in body.decode()
    assert [type(record.exc_info[1]) for record in caplog.records] == [RuntimeError]
    assert client.metrics.in_flight == 0


@pytest.mark.contract("E5")
def test_a_bug_while_a_reply_is_written_is_logged_and_holds_no_place(client, caplog):
    with_app(client, FailsAtTheReply)
    with caplog.at_level(logging.ERROR, logger="core.serving"):
        assert client.talk(SCORED) == b""
    assert [type(record.exc_info[1]) for record in caplog.records] == [RuntimeError]
    assert (client.metrics.in_flight, len(client.room)) == (0, 0)
