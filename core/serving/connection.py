"""One client's connection: requests in their order, with a deadline in every state.

Requests are answered in the order in which they came. A connection that the server ends is ended in steps. Whoever
still takes its last reply is given time for that; then our side ends; and once the client has read and closed, or a
moment has passed, all of it: closed at once, bytes of the client that nobody has read would make the system reset it,
and lose the reply.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from core.domain.endpoint import EndpointLimits
from core.domain.errors import SlipwayError
from core.serving.app import App
from core.serving.bodies import MB
from core.serving.http import CONTINUE, Head, Reply
from core.serving.reader import Reader
from core.serving.refusals import BodyLate, BodyTooLarge, ConnectionsFull, HeadLate, ShuttingDown
from core.serving.sending import Progress, unsent
from core.serving.turn import SKIP_BYTES_MAX, Turn

if TYPE_CHECKING:
    from core.serving.room import Room

log = logging.getLogger(__name__)

REFUSED_MAX = 100
"""Connections beyond `max_connections` that are told so at one time; further ones are reset."""
WAITING_MAX = 2
"""Pipelined requests that are taken in while an earlier one is being answered; then reading pauses."""


class Stage(Enum):
    """What the connection is waiting for."""

    OPENED = auto()
    """The first byte of its first request."""
    HEAD = auto()
    BODY = auto()
    IDLE = auto()
    """The next request."""
    ENDING = auto()
    """The client: to take the last reply, and to close, for our side has ended."""


class Patience(NamedTuple):
    """How long the server waits for a client that is being answered."""

    write_s: float = 30.0
    """A client that takes less than a little of its reply for so long is let go."""
    linger_s: float = 2.0
    """How long a connection that we ended waits for the client, once it has all, to close its side."""


PATIENCE = Patience()


class Connection(asyncio.Protocol):
    """Speaks HTTP for `app`. `room` counts connections, watches their deadlines and tells when the server ends."""

    def __init__(self, app: App, room: "Room", patience: Patience = PATIENCE) -> None:
        self._app, self._room, self._patience = app, room, patience
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = Reader(self, lambda: app.now.file.limits)
        self._turns: deque[Turn] = deque()
        """Requests in order of arrival that have no reply yet."""
        self._incoming: Turn | None = None
        """The request whose body is arriving, answered or not."""
        self._stage = Stage.OPENED
        self.deadline = inf
        """When the stage has lasted too long, by the loop's clock."""
        self._leave_at = inf
        """When an idle connection ends because the server does."""
        self._linger_s = patience.linger_s
        self._progress = Progress(0, 0.0, patience.write_s)
        """Of the client with what we wrote, while it has yet to take that or, once we have ended, to close."""
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
            self._refuse(ConnectionsFull("The server has reached its connection limit", hint="Try again soon"))
            self._advance()
        else:
            self._wait(Stage.OPENED, self._limits.header_timeout_s)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        try:
            self._reader.feed(data)
        except SlipwayError as e:
            if not self._deaf:  # else they are bytes behind the last request, which are no news
                self._refuse(e)
        except Exception as e:  # noqa: BLE001 - a bug is told as 500 and logged
            self._refuse(e)
        self._advance()

    def eof_received(self) -> bool:
        """The client sends no more. What it has asked for in full it still gets."""
        self._half_closed = self._deaf = True
        if self._turns and not self._turns[-1].complete and self._turns[-1].reply is None:
            self._app.abandon(self._turns.pop().exchange)
        self._incoming = None
        if self._turns:
            self._turns[-1].closing = True
            self._advance()
        elif self._stage is Stage.ENDING:
            self._close()
        else:
            self._end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._abandon()
        self._deaf, self.deadline, self._transport = True, inf, None
        self._room.leave(self)

    def pause_writing(self) -> None:
        self._stalled = True
        self._watch(self._patience.linger_s)

    def resume_writing(self) -> None:
        self._stalled = False
        if self._stage is Stage.ENDING:
            self._watch(self._linger_s)
        else:
            self.deadline = inf
            self._advance()

    # The room's calls

    def overdue(self) -> None:
        """The deadline has passed."""
        self._guarded(self._give_up)
        self._advance()

    def retire(self, linger_s: float) -> None:
        """Another worker takes over: what was asked is answered, and what comes within `linger_s`, as the last."""
        self._retiring = True
        self._hurry(linger_s)

    def stop(self, linger_s: float) -> None:
        """The server ends: finish what was begun; what comes within `linger_s` is told so."""
        self._stopping = True
        self._hurry(linger_s)

    # The reader's calls

    def head(self, head: Head, *, stays: bool, version: str) -> None:
        """A request has begun."""
        if self._deaf:
            return
        ending = ShuttingDown("The server is shutting down") if self._stopping else None
        turn = Turn(*self._app.begin(head, ending), closing=not stays or self._retiring or self._stopping)
        self._turns.append(turn)
        self._incoming = turn
        turn.says_so = stays and version == "1.0"
        turn.waits = version == "1.1" and head.headers.get(b"expect", b"").lower() == b"100-continue"
        if turn.reply is not None and not turn.skippable(head):
            turn.closing = True
        if turn.waits:
            self._call_for_body()

    def body(self, part: bytes) -> None:
        """More of the body of the request that has begun."""
        turn = self._incoming
        if self._deaf or turn is None:
            return
        turn.size += len(part)
        if turn.reply is not None:
            if turn.size > SKIP_BYTES_MAX:
                self._skip_no_more(turn)
        elif turn.size > self._limits.max_body_mb * MB:
            turn.body, turn.closing = b"", True
            _, turn.reply = self._app.refuse(BodyTooLarge(self._limits.max_body_mb), turn.exchange)
        else:
            turn.keep(part)

    def complete(self) -> None:
        """The request that has begun is here in full."""
        if self._deaf or self._incoming is None:
            return
        self._incoming.complete = True
        # Behind a request that is the last, nothing is news.
        self._deaf = self._incoming.closing
        self._incoming = None

    # Taking requests in

    @property
    def _limits(self) -> EndpointLimits:
        return self._app.now.file.limits

    def _call_for_body(self) -> None:
        """Tell a client that waits for our word (RFC 9110, 10.1.1) to send its body, once all before are answered."""
        turn = self._turns[0] if self._turns else None
        if turn is None or not turn.waits or turn.reply is not None or turn.complete or self._transport is None:
            return
        turn.waits = False
        if not turn.size:
            self._transport.write(CONTINUE)

    def _skip_no_more(self, turn: Turn) -> None:
        turn.closing = True
        if turn not in self._turns:
            self._end()

    def _refuse(self, error: Exception) -> None:
        """Answer what came before, then this, and end."""
        turn = self._incoming
        self._deaf = True
        if turn is None:
            self._turns.append(Turn(*self._app.refuse(error), closing=True))
        elif turn.reply is None:
            _, turn.reply = self._app.refuse(error, turn.exchange)
        if turn is not None:
            self._skip_no_more(turn)

    # Answering

    def _advance(self) -> None:
        """Answer as far as can be, then wait for what is missing."""
        self._guarded(self._answer)

    def _guarded(self, act: Callable[[], None]) -> None:
        """A bug ends the connection, and nothing else."""
        try:
            act()
        except Exception as e:
            log.error("a connection failed on a bug of the server", exc_info=e)
            if self._transport is not None:
                self._transport.abort()

    def _answer(self) -> None:
        while self._turns and not self._stalled and self._transport is not None and self._stage is not Stage.ENDING:
            turn = self._turns[0]
            if turn.reply is None and turn.complete and turn.running is None:
                self._score(turn)
            if turn.reply is None:
                if turn.waits:
                    self._call_for_body()
                break
            self._write(turn, turn.reply, self._transport)
            if self._turns and not self._turns[0].running:
                # Others on this loop get their turn before the next of a pipeline.
                self._loop.call_soon(self._advance)
                break
        self._pause_or_resume()
        self._wait_on()

    def _score(self, turn: Turn) -> None:
        answer = self._app.finish(turn.exchange, bytes(turn.body))
        turn.body = b""
        if isinstance(answer, Reply):
            turn.reply = answer
        else:
            turn.running = answer
            answer.add_done_callback(lambda done: self._scored(turn, done))

    def _scored(self, turn: Turn, done: "asyncio.Future[Reply]") -> None:
        if not done.cancelled():
            turn.reply = done.result()
            self._advance()

    def _write(self, turn: Turn, reply: Reply, transport: asyncio.Transport) -> None:
        says = True if turn.closing else False if turn.says_so else None
        encoded = self._app.encode(turn.exchange, reply, closing=says)
        self._turns.popleft()
        self._stage, self.deadline = Stage.BODY, inf
        transport.write(encoded)
        if turn.closing:
            self._end(None if turn.complete else self._limits.body_timeout_s)

    # Ending

    def _give_up(self) -> None:
        if self._transport is None:
            return
        if self._stalled or self._stage is Stage.ENDING:
            self._let_go_unless_it_reads(self._transport)
        elif self._stage is Stage.HEAD:
            self._refuse(HeadLate(f"The request headers did not arrive within {self._limits.header_timeout_s:g} s"))
        elif self._stage is Stage.BODY:
            self._refuse(BodyLate(f"The body did not arrive within {self._limits.body_timeout_s:g} s"))
        else:
            self._end()

    def _end(self, linger_s: float | None = None) -> None:
        """End our side, once all is written; the client then has a moment to end its own."""
        if self._transport is None or self._stage is Stage.ENDING:
            return
        self._abandon()
        self._incoming, self._deaf = None, True
        self._stage, self._linger_s = Stage.ENDING, self._patience.linger_s if linger_s is None else linger_s
        self._transport.set_write_buffer_limits(0)  # from here on `resume_writing` says that all is written
        if not self._stalled:
            self._watch(self._linger_s)
        self._close()
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def _close(self) -> None:
        """All of it where the client has ended its side, else ours; both only once all is written."""
        assert self._transport is not None
        if self._half_closed or not self._transport.can_write_eof():
            return self._transport.close()
        try:
            self._transport.write_eof()
        except OSError:  # the client has reset it, which the loop has yet to notice
            self._transport.abort()

    def _abandon(self) -> None:
        while self._turns:
            self._app.abandon(self._turns.popleft().exchange)

    def _watch(self, linger_s: float) -> None:
        """Wait for the client to take what was written and, once we have ended, to close."""
        assert self._transport is not None
        now = self._loop.time()
        self._progress = Progress(unsent(self._transport), now, self._patience.write_s)
        self.deadline = now + linger_s

    def _let_go_unless_it_reads(self, transport: asyncio.Transport) -> None:
        """A client that has all, or takes next to nothing of it, is let go; one that takes it is waited for."""
        now, left = self._loop.time(), unsent(transport)
        if not left or self._progress.stuck(left, now):
            transport.abort()
        else:
            self.deadline = now + self._patience.linger_s

    # Waiting

    def _wait_on(self) -> None:
        """Set the stage and its deadline by what is missing."""
        if self._transport is None or self._stage is Stage.ENDING or self._stalled:
            return
        if self._turns and self._turns[0].complete:
            self._stage, self.deadline = Stage.BODY, inf
        elif self._incoming is not None:
            self._enter_stage(Stage.BODY, self._limits.body_timeout_s)
        elif self._reader.in_head:
            self._enter_stage(Stage.HEAD, self._limits.header_timeout_s)
        elif self._stage is not Stage.OPENED:
            self._enter_stage(Stage.IDLE, self._limits.idle_timeout_s)

    def _enter_stage(self, stage: Stage, timeout_s: float) -> None:
        """Begin a stage; one that goes on keeps its deadline, so that single bytes do not extend it."""
        if self._stage is not stage or self.deadline == inf:
            self._wait(stage, timeout_s)

    def _wait(self, stage: Stage, timeout_s: float) -> None:
        self._stage, self.deadline = stage, self._loop.time() + timeout_s
        if stage in (Stage.OPENED, Stage.IDLE):
            self.deadline = min(self.deadline, self._leave_at)

    def _hurry(self, linger_s: float) -> None:
        """The last request taken in is the last; an idle connection waits `linger_s` for one that is on its way."""
        self._leave_at = self._loop.time() + linger_s
        if self._turns and not self._reader.in_head:
            self._turns[-1].closing = True
            self._deaf = self._deaf or self._turns[-1].complete
        elif self._stage in (Stage.IDLE, Stage.OPENED):
            self.deadline = min(self.deadline, self._leave_at)

    def _pause_or_resume(self) -> None:
        if self._transport is None or self._stage is Stage.ENDING or self._half_closed:
            return
        pause = len(self._turns) >= WAITING_MAX
        if pause and not self._paused:
            self._transport.pause_reading()
        elif self._paused and not pause:
            self._transport.resume_reading()
        self._paused = pause
