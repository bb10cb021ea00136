"""All connections of one worker: counted, watched for their deadlines, and told when the worker ends."""

import asyncio
from typing import Protocol

SWEEP_S = 0.1
"""How often deadlines are looked at: one timer for all connections costs less than one for each."""

ENTER_S = 0.05
"""Time for what the event loop has accepted already to enter, before an ending worker believes that nobody is left."""


class Guest(Protocol):
    """A connection as the room knows it."""

    deadline: float

    def overdue(self) -> None: ...
    def retire(self, linger_s: float) -> None: ...
    def stop(self, linger_s: float) -> None: ...


class Room:
    """Connections come and go; `empty` is set while there are none."""

    def __init__(self, capacity: int) -> None:
        """`capacity`: as many connections as the process can hold, whatever the endpoint allows."""
        self.capacity = capacity
        self._guests: set[Guest] = set()
        self._farewell: tuple[bool, float] | None = None
        self.empty = asyncio.Event()
        self.empty.set()

    def __len__(self) -> int:
        return len(self._guests)

    def enter(self, guest: Guest) -> int:
        """Take in a connection; how many there are with it. One that comes when all are leaving is told so too."""
        self._guests.add(guest)
        self.empty.clear()
        if self._farewell is not None:
            asyncio.get_running_loop().call_soon(self._bid, guest, *self._farewell)
        return len(self._guests)

    def leave(self, guest: Guest) -> None:
        """A connection has ended."""
        self._guests.discard(guest)
        if not self._guests:
            self.empty.set()

    def retire(self, linger_s: float) -> None:
        """Another worker takes over: each connection's next reply is its last."""
        self._bid_all(False, linger_s)

    def stop(self, linger_s: float) -> None:
        """The server ends: what was begun is finished, nothing more begins."""
        self._bid_all(True, linger_s)

    async def emptied(self) -> None:
        """Wait until all have left. What was accepted a moment ago enters only some rounds of the loop later."""
        while True:
            await asyncio.sleep(ENTER_S)
            if not self._guests:
                return
            await self.empty.wait()

    async def watch(self) -> None:
        """Look at the deadlines for ever."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(SWEEP_S)
            now = clock()
            for guest in [guest for guest in self._guests if guest.deadline <= now]:
                guest.overdue()

    def _bid_all(self, stopping: bool, linger_s: float) -> None:
        self._farewell = (stopping, linger_s)
        for guest in list(self._guests):
            self._bid(guest, stopping, linger_s)

    @staticmethod
    def _bid(guest: Guest, stopping: bool, linger_s: float) -> None:
        (guest.stop if stopping else guest.retire)(linger_s)
