"""Who may wait for what is scored beside the event loop: what keeps an overloaded endpoint answering in time."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil
from time import perf_counter
from typing import TypeVar

from core.serving.refusals import TooBusy

T = TypeVar("T")

BACKLOG_S, BACKLOG_RUNS = 1.0, 2
"""So much work, and so many runs, may wait while there is no overload: a burst is taken on whole."""
LARGE_S, LARGE_BACKLOG_S = 0.1, 5.0
"""From this run time on a request has a lane of its own kind, so that no small one waits behind it."""
OVERLOAD_S, OVERLOAD_RUNS = 1.0, 8
"""How far back an overload is judged: a second, and longer where so few runs would be chance."""
CROWD_S, CROWD_RUNS = 0.1, 4
"""How far back a crowd is."""
OVERLOAD = 1.5
"""From this many times its capacity on waiting helps nobody: whoever waits displaces another."""


class Arrivals:
    """How much work arrived of late."""

    def __init__(self, least_s: float, runs: int) -> None:
        """Looks back for `runs` runs, and for `least_s` seconds at least."""
        self._least_s, self._runs = least_s, runs
        self._seen: deque[tuple[float, float]] = deque()
        self._asked_s = self._squares = 0.0

    def add(self, now: float, run_s: float) -> None:
        self._seen.append((now, run_s))
        self._asked_s += run_s
        self._squares += run_s * run_s

    def too_many(self, now: float) -> bool:
        """Whether more arrived than could be done in that time, by the factor that makes an overload."""
        while self._seen and self._seen[0][0] < now - self._window_s:
            run_s = self._seen.popleft()[1]
            self._asked_s -= run_s
            self._squares -= run_s * run_s
        if not self._seen:
            self._asked_s = self._squares = 0.0  # what rounding has left
        return self._asked_s > OVERLOAD * self._window_s

    @property
    def _window_s(self) -> float:
        """Each second of work counts alike: among many short runs one of ten seconds is no overload by itself."""
        mean_s = self._squares / self._asked_s if self._asked_s > 0 else 0.0
        return max(self._least_s, self._runs * mean_s)


@dataclass(eq=False, slots=True)
class _Place:
    """A request that waits for the lane."""

    came_at: float
    run_s: float
    turn: "asyncio.Future[None]"

    @property
    def was_called(self) -> bool:
        """Its turn came; whoever is told to come again, or left, had none."""
        return self.turn.done() and not self.turn.cancelled() and self.turn.exception() is None


class Lane:
    """One thread for what takes long, and who may wait for it. Several would not be faster: they share the processor.

    - Up to its capacity, and in a burst, requests wait for their turn, first come, first served.
    - While a crowd arrives the newest goes first: it is answered in time, and the burst's others when it is over.
    - More than 1.5 times its capacity for a second is an overload. Whoever has then waited for longer than a run is
      told to come again, and only an idle lane takes one in: what is answered takes about as long as on an idle server.
    """

    def __init__(self, clock: Callable[[], float] = perf_counter, *, backlog_s: float = BACKLOG_S) -> None:
        self._clock, self._backlog_s = clock, backlog_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="slow-lane")
        self._waiting: deque[_Place] = deque()
        self._running_s = 0.0
        """The expected run time of what is in the thread; 0 while it is idle."""
        self._began = 0.0
        self._lately, self._now = Arrivals(OVERLOAD_S, OVERLOAD_RUNS), Arrivals(CROWD_S, CROWD_RUNS)

    def arrived(self, run_s: float) -> None:
        """A request's head is here. Raises TooBusy when it would wait for too long: its body need not be read."""
        now = self._clock()
        self._lately.add(now, run_s)
        self._now.add(now, run_s)
        if self._lately.too_many(now):
            self._shed(now)
        self._check(now, run_s)

    async def run(self, run_s: float, work: Callable[[], T]) -> T:
        """What `work` gives, which is expected to take `run_s`. Raises TooBusy, and what `work` raises."""
        self._check(self._clock(), run_s)
        if self._running_s:
            await self._turn(run_s)
        self._running_s, self._began = max(run_s, 1e-9), self._clock()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._running_s = 0.0
            self._next()

    def close(self) -> None:
        """Let go of the thread; what runs ends by itself."""
        self._thread.shutdown(wait=False)

    async def _turn(self, run_s: float) -> None:
        place = _Place(self._clock(), run_s, asyncio.get_running_loop().create_future())
        self._waiting.append(place)
        try:
            await place.turn
        except asyncio.CancelledError:
            if place in self._waiting:
                self._waiting.remove(place)
            elif place.was_called:
                self._running_s = 0.0
                self._next()
            raise

    def _next(self) -> None:
        """Hand the lane on; it counts as busy from now, so that nobody slips in before the next one wakes up."""
        now = self._clock()
        # A client that has just left is not told any more, and wakes up only later.
        self._waiting = deque(place for place in self._waiting if not place.turn.cancelled())
        if self._lately.too_many(now):
            self._shed(now)
        if self._waiting:
            place = self._waiting.pop() if self._now.too_many(now) else self._waiting.popleft()
            self._running_s, self._began = max(place.run_s, 1e-9), now
            place.turn.set_result(None)

    def _shed(self, now: float) -> None:
        stale = [place for place in self._waiting if now - place.came_at > place.run_s and not place.turn.cancelled()]
        for place in stale:
            self._waiting.remove(place)
            place.turn.set_exception(self._busy(now))

    def _check(self, now: float, run_s: float) -> None:
        most_s = 0.0 if self._lately.too_many(now) else max(self._backlog_s, BACKLOG_RUNS * run_s)
        if self._running_s and self._wait_s(now) >= most_s:
            raise self._busy(now)

    def _busy(self, now: float) -> TooBusy:
        return TooBusy(
            "The model is busy: this request would wait too long", retry_after_s=max(1, ceil(self._wait_s(now)))
        )

    def _wait_s(self, now: float) -> float:
        """How long a request that came now would wait, as far as earlier runs tell."""
        running_s = max(0.0, self._running_s - (now - self._began)) if self._running_s else 0.0
        return running_s + sum(place.run_s for place in self._waiting)


class Lanes:
    """A lane for what is slow, and one for what is large: thousands of rows keep nobody waiting who sends two."""

    def __init__(self) -> None:
        self._slow, self._large = Lane(), Lane(backlog_s=LARGE_BACKLOG_S)

    def of(self, run_s: float) -> Lane:
        """The lane of a request that is expected to take so long."""
        return self._large if run_s > LARGE_S else self._slow

    def close(self) -> None:
        """Let go of both threads."""
        self._slow.close()
        self._large.close()
