"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE_TO_LOOK, PAUSE_MAX_S = 3.0, 0.4
"""To look takes a quarter of this thread's time at most: what is waited for needs the processor more."""
LATE_SHARE, LATE_MAX_S = 0.05, 0.2
"""What took long may be seen so much later."""


def wait_until(look: Callable[[], T], timeout_s: float, *, every_s: float = 0.02) -> T:
    """The first truthy value that `look` gives. Fails the test with the last value when `timeout_s` passes."""
    began = time.monotonic()
    while True:
        looked_at_s = time.thread_time()
        if value := look():
            return value
        look_s = time.thread_time() - looked_at_s
        waited_s = time.monotonic() - began
        if waited_s > timeout_s:
            raise AssertionError(f"Still {value!r} after {timeout_s} s")
        pause_s = max(min(PAUSE_TO_LOOK * look_s, PAUSE_MAX_S), min(LATE_SHARE * waited_s, LATE_MAX_S))
        time.sleep(max(every_s, pause_s))
