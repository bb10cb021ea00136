"""A request among those of its connection: how much of it is here, and what is its reply."""

import asyncio

from core.serving.exchange import Exchange
from core.serving.http import Head, Reply
from core.serving.reader import KB

SKIP_BYTES_MAX = 256 * KB
"""The rest of a refused body is read and thrown away up to this size; beyond it the connection ends."""


class Turn:
    """A request and its place in the order of replies."""

    __slots__ = ("body", "closing", "complete", "exchange", "reply", "running", "says_so", "size", "waits")

    def __init__(self, exchange: Exchange, reply: Reply | None, *, closing: bool) -> None:
        self.exchange, self.reply, self.closing = exchange, reply, closing
        self.says_so = False
        """HTTP/1.0: a connection that stays must be said to."""
        self.waits = False
        """The client sends its body when it is told to."""
        self.body: bytes | bytearray = b""
        self.size = 0
        self.complete = False
        """The whole body is here."""
        self.running: asyncio.Future[Reply] | None = None

    def keep(self, part: bytes) -> None:
        """Put more of the body to what is here."""
        if not self.body:
            self.body = part
            return
        # Joined as they come: a million small parts would take many times their length.
        if not isinstance(self.body, bytearray):
            self.body = bytearray(self.body)
        self.body += part

    def skippable(self, head: Head) -> bool:
        """Whether the body of a refused request can be skipped, so that the connection may stay."""
        if self.waits:
            return False  # refused, the client may leave the body out: the next bytes are a body or a head
        return int(head.headers.get(b"content-length", b"0")) <= SKIP_BYTES_MAX
