"""The places of an endpoint's workers. Each has one keeper, a task that alone starts, replaces and lets go its workers.

What others wish (more places or fewer, a new worker) is noted; the keeper looks at that and at its workers, one event
after the other, so that no two hands ever fill one place.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

log = logging.getLogger(__name__)

BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
STABLE_S = 10.0
"""A worker that lived this long starts the backoff anew."""
READY_S = 60.0
"""A replacement that has not loaded its models by then is given up; the old worker serves on."""


class Worker(Protocol):
    """One process, as its keeper sees it."""

    @property
    def started(self) -> float:
        """When, by the loop's clock."""

    @property
    def ready(self) -> asyncio.Event:
        """Set once it answers."""

    @property
    def life(self) -> "asyncio.Future[int]":
        """Ends with the process and gives its exit code."""

    def retire(self) -> None:
        """Another one has its place, or nobody: it ends when its connections have."""

    def stop(self) -> None:
        """It is of no use: it ends now."""


Start = Callable[[int], Awaitable[Worker]]
"""Starts a worker for the place of that number. Raises OSError."""


class Place:
    """One place and what is in it. `wanted` and `renew` are the wishes; only `keep` acts on them."""

    def __init__(self, number: int, start: Start) -> None:
        self._number, self._start = number, start
        self._changed = asyncio.Event()
        self._renewed: asyncio.Future[None] | None = None
        self._deaths = 0
        self._again_at = 0.0
        """Not before this time is a worker started."""
        self.worker: Worker | None = None
        self.replacement: Worker | None = None
        self._wanted, self._left = True, False

    @property
    def wanted(self) -> bool:
        return self._wanted

    @wanted.setter
    def wanted(self, wanted: bool) -> None:
        self._wanted = wanted
        self._changed.set()

    async def renew(self) -> None:
        """Put a new worker in the place of the one that lives, once it answers; waits until that is settled."""
        if self._renewed is None:
            self._renewed = asyncio.get_running_loop().create_future()
        self._changed.set()
        await asyncio.shield(self._renewed)

    def leave(self) -> None:
        """Keep it no longer, and leave what is in it as it is."""
        self._left = True
        self._changed.set()

    async def keep(self) -> None:
        """Keep a worker here for as long as the place is wanted."""
        while self._wanted and not self._left:
            self._changed.clear()
            self._look()
            if self.worker is None and self._now() >= self._again_at:
                await self._fill()
            elif self.worker is not None and self._renewed is not None and self.replacement is None:
                self.replacement = await self._started()
                if self.replacement is None:
                    self._settle()
            else:
                await self._something()
        if not self._left:
            self._let_go()
        self._settle()

    async def _fill(self) -> None:
        renewing = self._renewed is not None  # a wish that comes while it starts may know what this one does not
        self.worker = await self._started()
        if self.worker is not None and renewing:
            self._settle()

    def _let_go(self) -> None:
        for worker in (self.worker, self.replacement):
            if worker is not None and not worker.life.done():
                worker.retire()
        self.worker = self.replacement = None

    def _look(self) -> None:
        """Take note of what has become of the workers."""
        self._look_at_replacement()
        if self.worker is not None and self.worker.life.done():
            self._count_death(self.worker)
            # Where one is coming up already, it has the place now.
            self.worker, self.replacement = self.replacement, None
            self._settle()

    def _look_at_replacement(self) -> None:
        new = self.replacement
        if new is None:
            return
        if new.ready.is_set() and not new.life.done():
            if self.worker is not None:
                self.worker.retire()
            self.worker, self.replacement = new, None
            log.info("worker %d was replaced", self._number)
        elif new.life.done() or self._now() - new.started >= READY_S:
            log.error("the replacement of worker %d did not come up; the old one serves on", self._number)
            self.replacement = None
            new.stop()
        else:
            return
        self._settle()

    def _count_death(self, worker: Worker) -> None:
        self._deaths = 0 if self._now() - worker.started >= STABLE_S else self._deaths
        code = worker.life.result()
        log.warning("worker %d ended with code %d; starting it again in %g s", self._number, code, self._put_off())

    def _put_off(self) -> float:
        wait_s = BACKOFF_S[min(self._deaths, len(BACKOFF_S) - 1)]
        self._deaths += 1
        self._again_at = self._now() + wait_s
        return wait_s

    async def _started(self) -> Worker | None:
        """A new worker; None, to be tried again later, where the system gives no process."""
        try:
            worker = await self._start(self._number)
        except OSError as e:
            log.error(
                "worker %d cannot be started, trying again in %g s: %s", self._number, self._put_off(), e.strerror
            )
            return None
        worker.life.add_done_callback(lambda _: self._changed.set())
        return worker

    async def _something(self) -> None:
        """Wait until there is something to look at."""
        tasks = [asyncio.ensure_future(self._changed.wait())]
        until = self._again_at if self.worker is None else None
        if self.replacement is not None:
            tasks.append(asyncio.ensure_future(self.replacement.ready.wait()))
            until = self.replacement.started + READY_S
        timeout_s = None if until is None else max(0.0, until - self._now())
        try:
            await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    def _settle(self) -> None:
        if self._renewed is not None:
            self._renewed.set_result(None)
            self._renewed = None

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


class Places:
    """All places of an endpoint. `guard` runs a keeper and sees to it that none ends unnoticed."""

    def __init__(self, start: Start, guard: Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]) -> None:
        self._start, self._guard = start, guard
        self._places: dict[int, Place] = {}
        self._keepers: dict[int, asyncio.Task[None]] = {}

    def man(self, wanted: int) -> None:
        """As many workers as wanted, from now on."""
        for number in range(wanted):
            self._want(number)
        for number, place in self._places.items():
            if number >= wanted:
                place.wanted = False

    async def roll(self) -> None:
        """Renew the workers, one place after the other."""
        for number in sorted(self._places):
            if self._places[number].wanted:
                await self._places[number].renew()

    async def leave(self) -> None:
        """End the keepers; their workers are left as they are."""
        for place in self._places.values():
            place.leave()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)

    def _want(self, number: int) -> None:
        keeper = self._keepers.get(number)
        if keeper is None or keeper.done():
            self._places[number] = Place(number, self._start)
            self._keepers[number] = self._guard(self._places[number].keep())
        self._places[number].wanted = True
