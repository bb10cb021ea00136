"""One connection under whatever a client may do, at a clock of the test's own: nothing is answered twice or out of
order, nothing that was asked in full is left out, no place is kept, and nothing stays open for ever."""

import asyncio
import errno
import re
import socket
from itertools import accumulate
from types import SimpleNamespace
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.domain.endpoint import EndpointLimits
from core.serving.connection import PATIENCE, Connection
from core.serving.http import Head, Reply, encode
from core.serving.room import Room

LIMITS = EndpointLimits()
STEP_S = 0.5
LONGEST_S = 200
"""All deadlines one after the other: a head's, a body's, an idle connection's, of a reply that nobody reads."""
LEAVING_S = 2 * LIMITS.body_timeout_s + 3 * PATIENCE.linger_s
"""A worker that is replaced, or ends, waits for no idle client."""
HIGH = 65_536
"""More than this waits only where the server was told."""
BODY = b"x" * 60
LARGE_REPLY = b"y" * 200_000


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time passes when the test says so."""

    now = 0.0

    def time(self) -> float:
        return self.now


class Desk:
    """An app that counts: requests are told apart by their path, and settled exactly once."""

    def __init__(self) -> None:
        self.now = SimpleNamespace(file=SimpleNamespace(limits=LIMITS))
        self.open: set[int] = set()
        self.count = 0
        self.slow: list[asyncio.Future[Reply]] = []

    def begin(self, head: Head, refusal: Exception | None = None) -> tuple[Any, Reply | None]:
        self.count += 1
        self.open.add(self.count)
        exchange = SimpleNamespace(key=self.count, path=head.path, number=head.headers.get(b"x-number", b""), work=None)
        if refusal is not None or head.path in ("/page", "/refused"):
            return exchange, Reply(200 if head.path == "/page" else 401, b"")
        return exchange, None

    def finish(self, exchange: Any, body: bytes) -> Any:
        assert body == BODY
        if exchange.path != "/slow":
            return Reply(200, LARGE_REPLY if exchange.path == "/large" else b"done")
        exchange.work = asyncio.get_running_loop().create_future()
        self.slow.append(exchange.work)
        return exchange.work

    def refuse(self, error: Exception, exchange: Any = None) -> tuple[Any, Reply]:
        return exchange or self.begin(Head("", "", b"", {}))[0], Reply(400, str(error).encode())

    def abandon(self, exchange: Any) -> None:
        self.open.remove(exchange.key)

    def encode(self, exchange: Any, reply: Reply, *, closing: bool | None) -> bytes:
        self.open.remove(exchange.key)
        return encode(reply, [(b"x-number", exchange.number)], with_body=True, closing=closing)


class Wire(asyncio.Transport):
    """A client's side of the connection, and what has not gone over to it yet."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection
        self.to_server, self.to_client, self.received = b"", b"", b""
        self.reads, self.deaf_since = True, 0.0
        self.ended = self.lost = self.by_client = self.cut = self.vanished = False
        self._low, self._high = 16_384, HIGH
        self._stalled = self._closing = self.paused = self._half_closed = self._told_eof = False
        self._socket, self._other = socket.socketpair()

    # What the server calls

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._socket

    def write(self, data: bytes) -> None:
        assert not self._closing
        self.to_client += data
        self.flow()

    def get_write_buffer_size(self) -> int:
        return len(self.to_client)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high == 0
        self._low = self._high = 0
        self.flow()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if self.vanished and not self.to_client:
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        self.ended = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = self.ended = True
        self.flow()

    def abort(self) -> None:
        self._closing = self.ended = True
        if self.to_client and not self.by_client:
            assert asyncio.get_running_loop().time() >= self.deaf_since + PATIENCE.write_s, "cut off before its time"
            self.cut = True
        self.to_client = b""
        self.flow()

    # What the client does

    def flow(self) -> None:
        """Let go over what the client takes, and tell the server of it, as asyncio does."""
        if self.reads:
            self.received, self.to_client = self.received + self.to_client, b""
        if len(self.to_client) > self._high and not self._stalled:
            self._stalled = True
            self.connection.pause_writing()
        elif len(self.to_client) <= self._low and self._stalled:
            self._stalled = False
            asyncio.get_running_loop().call_soon(lambda: self.lost or self.connection.resume_writing())
        if self._closing and not self.to_client and not self.lost:
            self.lost = True
            asyncio.get_running_loop().call_soon(self.connection.connection_lost, None)

    def send(self, size: int) -> int:
        """Send so much more, where the server reads; how much went over."""
        if self.paused or self._closing or self._half_closed or self.vanished:
            return 0
        part, self.to_server = self.to_server[:size], self.to_server[size:]
        if part:
            self.connection.data_received(part)
        return len(part)

    def half_close(self) -> None:
        if not self.paused and not self._closing and not self._half_closed and not self.vanished:
            self._half_closed = True
            assert self.connection.eof_received() is True

    def reset(self) -> None:
        self.by_client = True
        self.abort()

    def vanish(self) -> None:
        """Reset the connection, which the server's loop has not noticed yet."""
        self.by_client = self.vanished = self.reads = True
        self.flow()

    def end(self) -> None:
        self._socket.close()
        self._other.close()


def request(number: int, path: str, *, chunked: bool, closing: bool) -> bytes:
    head = b"POST %s HTTP/1.1\r\nhost: here\r\nx-number: %d\r\n" % (path.encode(), number)
    head += b"connection: close\r\n" if closing else b""
    if chunked:
        return head + b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    return head + b"content-length: %d\r\n\r\n%s" % (len(BODY), BODY)


def told(received: bytes) -> list[int]:
    """Which requests were answered. Every reply is whole, and none comes behind one that says it is the last."""
    numbers, closing = [], False
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        assert not closing, "a reply behind the last one"
        number = re.search(rb"x-number: (\d+)", head)
        numbers.append(int(number[1]) if number else -1)
        closing = b"connection: close" in head
        length = int(re.search(rb"content-length: (\d+)", head)[1])
        assert len(rest) >= length, "a reply that was cut off"
        received = rest[length:]
    return numbers


class Story:
    """Plays what a client does, and keeps count of what it has asked in full of a server that had not ended."""

    def __init__(self, loop: Clock, asked: list[tuple[str, bool, bool]]) -> None:
        self.loop, self.desk, self.room = loop, Desk(), Room(10)
        self.connection = Connection(self.desk, self.room)  # type: ignore[arg-type]
        self.wire = Wire(self.connection)
        self.connection.connection_made(self.wire)
        sent = [request(n, path, chunked=chunked, closing=closing) for n, (path, chunked, closing) in enumerate(asked)]
        self.wire.to_server = b"".join(sent)
        self._lengths = list(map(len, sent))
        self._last = next((n + 1 for n, (_, _, closing) in enumerate(asked) if closing), len(asked))
        self.arrived, self.due, self.leaving = 0, 0, False

    async def act(self, act: str, amount: int) -> None:
        wire = self.wire
        match act:
            case "send":
                self.send(amount)
            case "wait":
                await self.wait(amount / 8)
            case "done" if self.desk.slow:
                self.finish(self.desk.slow[-1])
            case "deaf" | "reads":
                wire.reads, wire.deaf_since = act == "reads", self.loop.now
                wire.flow()
            case "half" if not wire.lost:
                wire.half_close()
            case "reset" | "vanish" if not wire.lost:
                getattr(wire, act)()
            case "retire" | "stop":
                self.leaving = True
                getattr(self.connection, act)(1.0)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(8):
            await asyncio.sleep(0)

    async def wait(self, seconds: float) -> None:
        until = self.loop.now + seconds
        while self.loop.now < until and not self.wire.lost:
            self.loop.now += STEP_S
            if self.connection.deadline <= self.loop.now:
                self.connection.overdue()
            await self.settle()

    def send(self, size: int) -> int:
        counts = not self.wire.ended and not self.leaving
        went = self.wire.send(size)
        self.arrived += went
        if counts:
            ends = accumulate(self._lengths)
            self.due = min(self._last, sum(end <= self.arrived for end in ends))
        return went

    @staticmethod
    def finish(work: "asyncio.Future[Reply]") -> None:
        if not work.done():
            work.set_result(Reply(200, b"slow"))

    async def rest(self) -> bool:
        """Send the rest and answer all that is slow; then, whether the client has let no deadline for reading pass."""
        while True:
            for work in self.desk.slow:
                self.finish(work)
            await self.settle()
            if not self.send(1000) and all(work.done() for work in self.desk.slow):
                break
        if not self.wire.reads and self.wire.to_client:
            waits = self.wire.ended or len(self.wire.to_client) > HIGH
            await self.wait(PATIENCE.write_s + 2 * PATIENCE.linger_s)
            assert self.wire.lost or not waits, "open for one that does not read"
            return False
        return True


async def play(loop: Clock, asked: list[tuple[str, bool, bool]], acts: list[tuple[str, int]]) -> None:
    story = Story(loop, asked)
    for act, amount in acts:
        await story.act(act, amount)
    read_in_time = await story.rest()
    await story.act("reads", 0)
    await story.rest()
    assert story.wire.ended or not story.wire.paused, "not read from for ever"
    await story.wait(LEAVING_S if story.leaving else LONGEST_S)
    story.wire.end()
    assert story.wire.lost, "open for ever"
    assert len(story.room) == 0
    assert story.desk.open == set(), "a place that nobody gave back"
    if not read_in_time or story.wire.by_client or story.wire.cut:
        return  # what it has may be cut off anywhere
    numbers = told(story.wire.received)
    answered = [number for number in numbers if number >= 0]
    assert answered == list(range(len(answered))), "each once, in order"
    assert len(answered) >= story.due, "asked in full, and not answered"


requests = st.tuples(
    st.sampled_from(["/page", "/quick", "/slow", "/refused", "/large"]),
    st.booleans(),
    st.sampled_from([False] * 5 + [True]),
)
acts = st.one_of(
    st.tuples(st.just("send"), st.integers(1, 400)),
    st.tuples(st.sampled_from(["done", "deaf", "reads", "send"]), st.just(150)),
    st.tuples(st.sampled_from(["half", "reset", "vanish", "retire", "stop"]), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 700)),
)


@settings(max_examples=400, derandomize=True, deadline=None)
@given(st.lists(requests, max_size=6), st.lists(acts, max_size=14))
@example([("/slow", False, False), ("/quick", False, False)], [("send", 400), ("half", 0), ("done", 0)])
@example([("/large", False, True)], [("deaf", 0), ("send", 400), ("wait", 100), ("reads", 0)])
@example([("/slow", False, False), ("/quick", False, False)], [("send", 400), ("retire", 0), ("done", 0)])
@example([("/quick", False, False)], [("send", 100), ("half", 0)])
@example([("/quick", False, False)], [("vanish", 0), ("wait", 700)])
@example([("/large", False, False)] * 2, [("deaf", 0), ("send", 400)])
@example([("/slow", False, False)] * 5, [("send", 900), ("wait", 1), ("done", 0)])
@example([("/large", False, False)], [("deaf", 0), ("send", 400), ("retire", 0), ("wait", 8), ("reads", 0)])
def test_whatever_a_client_does_each_request_is_settled_once_and_the_connection_ends(asked, acts):
    loop = Clock()
    try:
        loop.run_until_complete(play(loop, asked, acts))
    finally:
        loop.close()
