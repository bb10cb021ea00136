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
WAIT_SHARE = 0.8
WAIT_FLOOR_S = 0.015


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
    """One thread for slow deployments. A request is let in while it would wait for less than its own run time.

    So an admitted request takes at most about twice as long as on an idle server, whatever the load; the others are
    told at once to come again. More at a time would not be faster: the interpreter lock lets one model run.
    """

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="slow-lane")
        self._expected: deque[float] = deque()
        """Run times of what is in the lane; the first is running."""
        self._began = 0.0

    async def run(self, expected_s: float, work: Callable[[], T]) -> T:
        """What `work` gives. Raises TooBusy when it would wait for too long, and what `work` raises."""
        wait_s = self.wait_s()
        if self._expected and wait_s > max(WAIT_SHARE * expected_s, WAIT_FLOOR_S):
            raise TooBusy("The model is busy: this request would wait too long", retry_after_s=ceil(wait_s))
        if not self._expected:
            self._began = self._clock()
        self._expected.append(expected_s)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._expected.popleft()
            self._began = self._clock()

    def wait_s(self) -> float:
        """How long a request that came now would wait, as far as earlier runs tell."""
        if not self._expected:
            return 0.0
        first, *queued = self._expected
        return max(0.0, first - (self._clock() - self._began)) + sum(queued)

    def close(self) -> None:
        """Let go of the thread; what runs ends by itself."""
        self._thread.shutdown(wait=False)
