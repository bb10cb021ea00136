"""The scoring of one request beside the event loop, which may come too late: its client may have left."""

import asyncio
from threading import Lock

from core.serving import bodies
from core.serving.costs import Cost
from core.serving.deployment import Deployment, Scored
from core.serving.exchange import Exchange
from core.serving.http import Reply


class CalledOff(Exception):
    """The client left before its turn came. Nobody waits for this."""


class Work:
    """Unpacks and scores one body, in any thread. It runs, or it is called off; never both."""

    __slots__ = ("_exchange", "_taken", "body", "cost", "reply", "target")

    def __init__(self, exchange: Exchange, target: Deployment, body: bytes, cost: Cost) -> None:
        self._exchange, self.target, self.body, self.cost = exchange, target, body, cost
        self._taken = Lock()
        """Whoever gets it first decides whether this runs."""
        self.reply: asyncio.Future[Reply] | None = None
        """What waits for this."""

    def __call__(self) -> Scored:
        if not self._taken.acquire(blocking=False):
            raise CalledOff
        body = self.body
        if self._exchange.packed:
            body = bodies.unpack(body, self._exchange.now.file.limits)
            self._exchange.plain_bytes = len(body)
        return self.target.score(body)

    def call_off(self) -> bool:
        """Whether this had not begun, and now never will; what waits for it is canceled."""
        if not self._taken.acquire(blocking=False):
            return False
        self.body = b""
        if self.reply is not None:
            self.reply.cancel()
        return True
