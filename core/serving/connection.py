"""One client connection: bytes to requests and back (HTTP/1.1 and HTTP/1.0), with a deadline in every state.

The parser is llhttp, in its strict mode: it refuses what two readers could read in two ways (RFC 9112, 11.2). What is
here is order, limits and endings. Requests are answered in the order in which they came. A connection that the server
ends is ended in two steps, first our side, then, once the client has read and closed or a moment has passed, all of it:
closed at once, bytes of the client that nobody has read would make the system reset it, and lose the reply.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable
from enum import Enum, auto
from math import inf
from typing import TYPE_CHECKING

import httptools

from core.domain.endpoint import EndpointLimits
from core.domain.errors import SlipwayError
from core.serving.app import App
from core.serving.bodies import MB
from core.serving.exchange import Exchange
from core.serving.http import CONTINUE, Head, Reply, split_target
from core.serving.refusals import (
    BodyLate,
    BodyTooLarge,
    ConnectionsFull,
    HeaderTooLong,
    HeadLate,
    HttpInvalid,
    ShuttingDown,
)

if TYPE_CHECKING:
    from core.serving.room import Room

KB = 1024

WRITE_TIMEOUT_S = 30.0
"""A client that does not read its reply for so long is let go."""
LINGER_S = 2.0
"""How long a connection that we ended waits for the client to close its side."""
SKIP_BYTES_MAX = 256 * KB
"""The rest of a refused body is read and thrown away up to this size; beyond it the connection ends."""
REFUSED_MAX = 100
"""Connections beyond `max_connections` that are told so at one time; further ones are reset."""
WAITING_MAX = 2
"""Pipelined requests that are taken in while an earlier one is being answered; then reading pauses."""
ONCE = (b"host", b"authorization", b"content-type", b"content-encoding", b"content-length", b"transfer-encoding")
"""Headers that say which request this is: twice, two readers could take it for two different ones."""


class Stage(Enum):
    """What the connection is waiting for."""

    OPENED = auto()
    """The first byte of its first request."""
    HEAD = auto()
    BODY = auto()
    IDLE = auto()
    """The next request."""
    ENDING = auto()
    """The client's close: our side has ended."""


class Turn:
    """A request and its place in the order of replies."""

    __slots__ = ("closing", "complete", "exchange", "parts", "reply", "running", "says_so", "size")

    def __init__(self, exchange: Exchange, reply: Reply | None, *, closing: bool) -> None:
        self.exchange, self.reply, self.closing = exchange, reply, closing
        self.says_so = False
        """HTTP/1.0: a connection that stays must be said to."""
        self.parts: list[bytes] = []
        self.size = 0
        self.complete = False
        """The whole body is here."""
        self.running: asyncio.Future[Reply] | None = None


class Connection(asyncio.Protocol):
    """Speaks HTTP for `app`. `room` counts connections, watches their deadlines and tells when the server ends."""

    def __init__(self, app: App, room: "Room") -> None:
        self._app, self._room = app, room
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._turns: deque[Turn] = deque()
        """Requests in order of arrival that have no reply yet."""
        self._incoming: Turn | None = None
        """The request whose body is arriving, answered or not."""
        self._stage = Stage.OPENED
        self.deadline = inf
        """When the stage has lasted too long, by the loop's clock."""
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._head_bytes = self._head_fed = 0
        self._in_head = self._head_is_new = self._repeated = False
        self._upgrading = self._muted = False
        self._deaf = False
        """Nothing more is taken in."""
        self._retiring = self._stopping = self._half_closed = self._stalled = self._paused = False

    # The transport's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        beyond = self._room.enter(self) - min(self._limits.max_connections, self._room.capacity)
        if beyond > REFUSED_MAX:
            transport.abort()
        elif beyond > 0:
            self._refuse(ConnectionsFull("The server holds as many connections as it may", hint="Try again soon"))
        else:
            self._wait(Stage.OPENED, self._limits.header_timeout_s)

    def data_received(self, data: bytes) -> None:
        if self._deaf or self._stage is Stage.ENDING:
            return
        self._head_is_new = False
        self._feed(data)
        if self._in_head and not self._head_is_new:
            self._count_head(len(data))
        self._advance()

    def eof_received(self) -> bool:
        """The client sends no more. What it has asked for it still gets."""
        self._half_closed = True
        return bool(self._turns and self._turns[-1].complete and self._stage is not Stage.ENDING)

    def connection_lost(self, exc: Exception | None) -> None:
        for turn in self._turns:
            self._app.abandon(turn.exchange)
        self._turns.clear()
        self._deaf, self.deadline, self._transport = True, inf, None
        self._room.leave(self)

    def pause_writing(self) -> None:
        self._stalled = True
        self.deadline = self._loop.time() + WRITE_TIMEOUT_S

    def resume_writing(self) -> None:
        self._stalled, self.deadline = False, inf
        self._wait_on()
        self._advance()

    # The room's calls

    def overdue(self) -> None:
        """The deadline has passed."""
        if self._transport is None:
            return
        if self._stage is Stage.ENDING or self._stalled:
            self._transport.abort()
        elif self._stage is Stage.HEAD:
            self._refuse(HeadLate(f"The head did not arrive within {self._limits.header_timeout_s:g} s"))
        elif self._stage is Stage.BODY:
            self._late_body()
        else:
            self._end()

    def retire(self, linger_s: float) -> None:
        """Another worker takes over: answer what comes within `linger_s`, the next reply being the last."""
        self._retiring = True
        self._hurry(linger_s)

    def stop(self, linger_s: float) -> None:
        """The server ends: finish what was begun; what comes within `linger_s` is told so."""
        self._stopping = True
        self._hurry(linger_s)

    # The parser's calls

    def on_message_begin(self) -> None:
        if self._deaf or self._muted:
            return
        self._target, self._headers, self._repeated = b"", {}, False
        self._head_bytes = self._head_fed = 0
        self._in_head = self._head_is_new = True

    def on_url(self, target: bytes) -> None:
        self._target += target

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._deaf or self._muted:
            return
        if not self._in_head:
            return self._count_trailer(len(name) + len(value))
        name = name.lower()
        self._head_bytes += len(name) + len(value) + 4
        if name in self._headers and name in ONCE:
            self._repeated = True
        self._headers[name] = value

    def on_headers_complete(self) -> None:
        if self._deaf or self._muted:
            return
        self._in_head = False
        if problem := self._problem():
            return self._refuse(problem)
        self._upgrading = self._parser.should_upgrade()
        path, query = split_target(self._target)
        head = Head(self._parser.get_method().decode("ascii"), path, query, self._headers)
        ending = ShuttingDown("The server is shutting down") if self._stopping else None
        exchange, reply = self._app.begin(head, ending)
        stays = self._parser.should_keep_alive()
        turn = Turn(exchange, reply, closing=not stays)
        turn.says_so = stays and self._parser.get_http_version() == "1.0"
        self._turns.append(turn)
        self._incoming = turn
        if reply is not None and not self._skippable():
            turn.closing = True
        elif reply is None and self._expects_word() and len(self._turns) == 1 and self._transport is not None:
            self._transport.write(CONTINUE)

    def on_body(self, part: bytes) -> None:
        turn = self._incoming
        if self._deaf or turn is None:
            return
        turn.size += len(part)
        if turn.reply is not None:
            if turn.size > SKIP_BYTES_MAX:
                self._skip_no_more(turn)
        elif turn.size > self._limits.max_body_mb * MB:
            turn.parts.clear()
            turn.closing = True
            _, turn.reply = self._app.refuse(BodyTooLarge(self._limits.max_body_mb), turn.exchange)
        else:
            turn.parts.append(part)

    def on_message_complete(self) -> None:
        if self._deaf or (self._upgrading and not self._muted):
            return
        if self._incoming is not None:
            self._incoming.complete = True
            self._incoming = None

    # Taking requests in

    @property
    def _limits(self) -> EndpointLimits:
        return self._app.now.file.limits

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as e:
            if not self._deaf:
                self._go_on_without_upgrade(data[e.args[0] :])
        except httptools.HttpParserError as e:
            # Bytes behind a request that asked for the end are no news: they are not read.
            asked_to_end = self._incoming is None and self._turns and self._turns[-1].closing
            if not self._deaf and not asked_to_end:
                self._refuse(HttpInvalid(f"This is no request of HTTP/1.1: {e}"))

    def _go_on_without_upgrade(self, rest: bytes) -> None:
        """Answer in HTTP/1.1 a request that offers another protocol (RFC 9110, 7.8), as Java's client does with h2c.

        llhttp leaves off behind such a head, so a new parser is put where the old one stood: at the body.
        """
        length, coding = self._headers.get(b"content-length", b"0"), self._headers.get(b"transfer-encoding")
        framing = b"transfer-encoding: chunked" if coding else b"content-length: " + length
        self._parser, self._muted = httptools.HttpRequestParser(self), True
        self._feed(b"POST / HTTP/1.1\r\n" + framing + b"\r\n\r\n")
        self._muted = self._upgrading = False
        if rest and not self._deaf:
            self._feed(rest)

    def _problem(self) -> SlipwayError | None:
        """Why a head that the parser took is no request for us."""
        version = self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            return HttpInvalid(f"HTTP/{version} is not spoken here", hint="Speak HTTP/1.1")
        if self._repeated:
            return HttpInvalid("A header that may come once came twice")
        if version == "1.1" and b"host" not in self._headers:
            return HttpInvalid("The header Host is missing")
        if self._headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            return HttpInvalid("The only transfer coding here is chunked")
        if version == "1.0" and b"transfer-encoding" in self._headers:
            return HttpInvalid("HTTP/1.0 knows no transfer coding")
        if self._parser.get_method() == b"CONNECT":
            return HttpInvalid("This server is no proxy")
        return self._too_long(self._head_bytes + len(self._target))

    def _count_head(self, size: int) -> None:
        """The parser tells of a header when it is whole; an endless one must be noticed before."""
        self._head_fed += size
        if problem := self._too_long(self._head_fed):
            self._refuse(problem)

    def _count_trailer(self, size: int) -> None:
        self._head_bytes += size
        if problem := self._too_long(self._head_bytes):
            self._refuse(problem)

    def _too_long(self, head_bytes: int) -> SlipwayError | None:
        limit_kb = self._limits.max_header_kb
        return HeaderTooLong(f"The head is larger than {limit_kb} KB") if head_bytes > limit_kb * KB else None

    def _expects_word(self) -> bool:
        """Whether the client waits for our word before it sends its body (RFC 9110, 10.1.1)."""
        return self._headers.get(b"expect", b"").lower() == b"100-continue"

    def _skippable(self) -> bool:
        """Whether the body of a refused request can be skipped, so that the connection may stay."""
        if self._expects_word():
            return False  # refused, the client may leave the body out: the next bytes are a body or a head
        return int(self._headers.get(b"content-length", b"0")) <= SKIP_BYTES_MAX

    def _skip_no_more(self, turn: Turn) -> None:
        turn.closing = True
        if turn not in self._turns:
            self._end()

    def _refuse(self, error: SlipwayError) -> None:
        """Answer what came before, then this, and end."""
        turn = self._incoming
        if turn is None:
            self._turns.append(Turn(*self._app.refuse(error), closing=True))
        elif turn.reply is None:
            _, turn.reply = self._app.refuse(error, turn.exchange)
        self._deaf, self._in_head = True, False
        if turn is not None:
            turn.closing = True
            if turn not in self._turns:
                self._end()
        self._advance()

    def _late_body(self) -> None:
        if self._incoming is not None:
            self._refuse(BodyLate(f"The body did not arrive within {self._limits.body_timeout_s:g} s"))

    # Answering

    def _advance(self) -> None:
        """Answer as far as can be, then wait for what is missing."""
        while self._turns and not self._stalled and self._transport is not None and self._stage is not Stage.ENDING:
            turn = self._turns[0]
            if turn.reply is None and turn.complete and turn.running is None:
                self._score(turn)
            if turn.reply is None:
                break
            self._write(turn, turn.reply)
            if len(self._turns) and not self._turns[0].running:
                # Others on this loop get their turn before the next of a pipeline.
                self._loop.call_soon(self._advance)
                break
        self._pause_or_resume()
        self._wait_on()

    def _score(self, turn: Turn) -> None:
        answer = self._app.finish(turn.exchange, turn.parts[0] if len(turn.parts) == 1 else b"".join(turn.parts))
        turn.parts.clear()
        if isinstance(answer, Reply):
            turn.reply = answer
        else:
            turn.running = self._loop.create_task(_awaited(answer))
            turn.running.add_done_callback(lambda done: self._scored(turn, done))

    def _scored(self, turn: Turn, done: "asyncio.Future[Reply]") -> None:
        if not done.cancelled():
            turn.reply = done.result()
            self._advance()

    def _write(self, turn: Turn, reply: Reply) -> None:
        assert self._transport is not None
        self._turns.popleft()
        closing = turn.closing or self._retiring or self._stopping
        says = True if closing else False if turn.says_so else None
        self._stage, self.deadline = Stage.BODY, inf
        self._transport.write(self._app.encode(turn.exchange, reply, closing=says))
        if closing:
            self._end(LINGER_S if turn.complete else self._limits.body_timeout_s)

    def _end(self, linger_s: float = LINGER_S) -> None:
        """End our side; the client has a moment to read and to end its own."""
        if self._transport is None or self._stage is Stage.ENDING:
            return
        for turn in self._turns:
            self._app.abandon(turn.exchange)
        self._turns.clear()
        self._incoming, self._deaf = None, True
        self._wait(Stage.ENDING, linger_s)
        if self._half_closed or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._transport.write_eof()
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    # Waiting

    def _wait_on(self) -> None:
        """Set the stage and its deadline by what is missing."""
        if self._transport is None or self._stage is Stage.ENDING or self._stalled:
            return
        if self._turns and self._turns[0].complete:
            self._stage, self.deadline = Stage.BODY, inf
        elif self._incoming is not None:
            self._enter_stage(Stage.BODY, self._limits.body_timeout_s)
        elif self._in_head:
            self._enter_stage(Stage.HEAD, self._limits.header_timeout_s)
        elif self._half_closed:
            self._end()
        elif self._stage is not Stage.OPENED:
            self._enter_stage(Stage.IDLE, self._limits.idle_timeout_s)

    def _enter_stage(self, stage: Stage, timeout_s: float) -> None:
        """Begin a stage; one that goes on keeps its deadline, so that single bytes do not extend it."""
        if self._stage is not stage or self.deadline == inf:
            self._wait(stage, timeout_s)

    def _wait(self, stage: Stage, timeout_s: float) -> None:
        self._stage, self.deadline = stage, self._loop.time() + timeout_s

    def _hurry(self, linger_s: float) -> None:
        """An idle connection is ended after `linger_s`: a request that is already on its way still gets its answer."""
        if self._stage in (Stage.IDLE, Stage.OPENED):
            self.deadline = min(self.deadline, self._loop.time() + linger_s)

    def _pause_or_resume(self) -> None:
        if self._transport is None or self._transport.is_closing() or self._stage is Stage.ENDING:
            return
        pause = len(self._turns) >= WAITING_MAX
        if pause and not self._paused:
            self._transport.pause_reading()
        elif self._paused and not pause:
            self._transport.resume_reading()
        self._paused = pause


async def _awaited(answer: Awaitable[Reply]) -> Reply:
    return await answer
