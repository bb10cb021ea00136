"""How a connection ends: whoever still reads gets every byte, and nobody keeps a place for ever."""

import http.client
import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from serving_fakes import KEY, ServerProcess
from waiting import wait_until

from core.contract import samples
from core.domain.data import ColumnKind
from core.domain.signature import Column, Signature

CLASSES = 40
ROWS = 10_000
WIDE = Signature((Column("x", ColumnKind.NUMBER, nullable=False, typical=1.0),), "y", tuple(range(CLASSES)), None)
SMALL = samples.body(samples.rows(WIDE, 2, seed=5))
LARGE = samples.body([{"x": number / 7} for number in range(ROWS)], method="predict_proba")
"""Its reply has 8 MB: more than the system takes off the server's hands before anybody reads."""
HEAD = (
    f"POST /score HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n".encode()
)
NO_CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LINGER_S = 2.0
"""What the server gives to a client that has all and does not close."""
LONGER_S = LINGER_S + 1.0


@pytest.fixture
def server(tmp_path) -> Iterator[ServerProcess]:
    made = ServerProcess(tmp_path, signature=WIDE, limits={"idle_timeout_s": 60}).start()
    yield made
    made.end()


class Slow:
    """A connection whose own system takes in next to nothing before its client reads."""

    def __init__(self, server: ServerProcess) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.settimeout(20)
        self._socket.connect(("127.0.0.1", server.port))
        self._replies = self._socket.makefile("rb")

    def send(self, data: bytes, *, half_close: bool = False) -> None:
        self._socket.sendall(data)
        if half_close:
            self._socket.shutdown(socket.SHUT_WR)

    def begun(self) -> None:
        """Wait until a reply has begun to arrive, and leave it where it is."""
        assert self._socket.recv(1, socket.MSG_PEEK)

    def status(self) -> int:
        """Of the next reply that comes, without a body."""
        status = int(self._replies.readline().split()[1])
        assert self._replies.readline() == b"\r\n"
        return status

    def results(self) -> list[object]:
        """Of the next reply, which must be whole."""
        assert self._replies.readline() == b"HTTP/1.1 200 OK\r\n"
        length = int(http.client.parse_headers(self._replies)["content-length"])
        return json.loads(self._replies.read(length))["result"]

    def ended(self) -> bool:
        """Whether the server has closed, in order, and said nothing more."""
        return self._replies.read(1) == b""

    def close(self) -> None:
        self._replies.close()
        self._socket.close()


@pytest.fixture
def connect(server: ServerProcess) -> Iterator[Callable[[], Slow]]:
    """Opens connections that are closed in the end."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Slow(server)))


def request(body: bytes, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return HEAD + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


def open_connections(server: ServerProcess) -> int:
    """Those that the worker holds, beside the one that asks, which was not there yet when it last counted."""
    lines = server.get("/metrics").text.splitlines()
    return max(0, int(next(line for line in lines if line.startswith("slipway_connections ")).split()[1]) - 1)


def replace_worker(server: ServerProcess) -> None:
    """Start a new worker and wait until the old one was told to end."""
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: b"was replaced" in server.log.read_bytes(), 20)


@pytest.mark.contract("W6")
def test_whoever_reads_slowly_gets_every_byte_of_a_last_reply(server, connect):
    asked, half, told, before = [connect() for _ in range(4)]
    asked.send(request(LARGE, b"Connection: close"))
    half.send(request(LARGE), half_close=True)
    before.send(request(LARGE) + request(SMALL))
    told.send(request(LARGE)[:-1])
    for slow in (asked, half, before):
        slow.begun()
    replace_worker(server)
    told.send(LARGE[-1:])
    time.sleep(LONGER_S)  # the slow readers themselves
    assert [len(slow.results()) for slow in (asked, half, told, before)] == [ROWS] * 4
    assert len(before.results()) == 2, "it was asked before the worker was told to end"
    assert all(slow.ended() for slow in (asked, half, told, before))


@pytest.mark.contract("W6")
def test_a_client_that_has_all_and_never_closes_loses_its_place_within_the_linger(server, connect):
    small, large, late = [connect() for _ in range(3)]
    small.send(request(SMALL, b"Connection: close"))
    large.send(request(LARGE, b"Connection: close"))
    late.send(request(LARGE, b"Connection: close"))
    assert len(small.results()) == 2
    assert len(large.results()) == ROWS
    late.begun()
    time.sleep(LONGER_S)  # the slow reader itself
    assert len(late.results()) == ROWS
    wait_until(lambda: open_connections(server) == 0, 2 * LINGER_S + 2)


@pytest.mark.contract("W3")
def test_what_was_complete_is_answered_where_a_client_closes_its_half_within_the_next(server, connect):
    for incomplete in (request(SMALL)[:-1], b"POST /score HTTP/1.1\r\nHo", NO_CHUNKS):
        connection = connect()
        connection.send(request(LARGE) + incomplete, half_close=True)
        assert len(connection.results()) == ROWS
        assert connection.ended()
    wait_until(lambda: open_connections(server) == 0, 2)


@pytest.mark.contract("W4")
def test_a_client_that_waits_for_our_word_behind_an_earlier_request_hears_it(server, connect):
    connection = connect()
    waiting = HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(SMALL)
    connection.send(request(LARGE) + waiting)
    assert len(connection.results()) == ROWS
    assert connection.status() == 100
    connection.send(SMALL)
    assert len(connection.results()) == 2
