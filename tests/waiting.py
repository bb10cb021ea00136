"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(look: Callable[[], T], timeout_s: float, *, every_s: float = 0.02) -> T:
    """The first truthy value that `look` gives. Fails the test with the last value when `timeout_s` passes."""
    deadline = time.monotonic() + timeout_s
    while not (value := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"Still {value!r} after {timeout_s} s")
        time.sleep(every_s)
    return value
