"""How long a deployment takes, and who may wait for it: what keeps an overloaded endpoint answering in time."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from time import perf_counter
from typing import TypeVar

from core.serving.refusals import TooBusy

T = TypeVar("T")

SLOW_S = 0.010
"""From this run time on a deployment is scored beside the event loop: health and other deployments must not wait."""
WEIGHT = 0.1
"""Of the newest run in the average: one run beside a busy neighbour does not make a fast deployment slow."""
WAIT_FLOOR_S = 0.015
WINDOW_S = 1.0
OVERLOAD = 1.5
"""From this many times its capacity on, over the last second, waiting helps nobody: whoever waits displaces another."""


class Pace:
    """The average run time of one deployment's small requests."""

    __slots__ = ("run_s",)

    def __init__(self) -> None:
        self.run_s = 0.0

    def ran(self, seconds: float) -> None:
        """Take in one run."""
        self.run_s = seconds if self.run_s == 0.0 else self.run_s + WEIGHT * (seconds - self.run_s)

    @property
    def slow(self) -> bool:
        return self.run_s >= SLOW_S


class Lane:
    """One thread for slow deployments, and who may wait for it.

    Up to its capacity a request is let in while it would wait for less than its own run time: bursts are taken on. More
    than that for a second is an overload, and then only an idle lane takes one in: an admitted request takes about as
    long as on an idle server, whatever the load, and the others are told at once to come again. Several at a time would
    not be faster, since the interpreter lets one model run.
    """

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="slow-lane")
        self._expected: deque[float] = deque()
        """Run times of what is in the lane; the first is running."""
        self._began = 0.0
        self._arrivals: deque[tuple[float, float]] = deque()
        """When each request of the last second came, and how long it would run."""
        self._asked_s = 0.0

    def arrived(self, expected_s: float) -> None:
        """A request's head is here. Raises TooBusy when it would wait for too long: its body need not be read."""
        now = self._clock()
        self._arrivals.append((now, expected_s))
        self._asked_s += expected_s
        while self._arrivals[0][0] < now - WINDOW_S:
            self._asked_s -= self._arrivals.popleft()[1]
        self._check(expected_s)

    def _check(self, expected_s: float) -> None:
        wait_s, wait_max_s = self._wait_s(), 0.0 if self._overloaded() else max(expected_s, WAIT_FLOOR_S)
        if self._expected and wait_s >= wait_max_s:
            raise TooBusy("The model is busy: this request would wait too long", retry_after_s=ceil(wait_s))

    async def run(self, expected_s: float, work: Callable[[], T]) -> T:
        """What `work` gives. Raises TooBusy where others were quicker, and what `work` raises."""
        self._check(expected_s)
        if not self._expected:
            self._began = self._clock()
        self._expected.append(expected_s)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._expected.popleft()
            self._began = self._clock()

    def close(self) -> None:
        """Let go of the thread; what runs ends by itself."""
        self._thread.shutdown(wait=False)

    def _wait_s(self) -> float:
        """How long a request that came now would wait, as far as earlier runs tell."""
        if not self._expected:
            return 0.0
        first, *queued = self._expected
        return max(0.0, first - (self._clock() - self._began)) + sum(queued)

    def _overloaded(self) -> bool:
        return self._asked_s > OVERLOAD * WINDOW_S
