"""When to try again what failed: sooner at first, later and later after."""

import time
from collections.abc import Callable


class Backoff:
    """Per key: 0.2 s after the first failure in a row, twice that after each next, at most 30 s."""

    def __init__(
        self, first_s: float = 0.2, longest_s: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._first_s, self._longest_s, self._clock = first_s, longest_s, clock
        self._failures: dict[str, int] = {}
        self._until: dict[str, float] = {}

    def failed(self, key: str) -> int:
        """Count a failure; how many there are in a row now."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        # The exponent is bounded, for 2.0**1024 is no float.
        self._until[key] = self._clock() + min(self._longest_s, self._first_s * 2.0 ** min(failures - 1, 30))
        return failures

    def waits(self, key: str) -> bool:
        """Whether it is too early to try again."""
        return self._clock() < self._until.get(key, 0.0)

    def failures(self, key: str) -> int:
        return self._failures.get(key, 0)

    def clear(self, key: str) -> None:
        """It works (again), or is gone."""
        self._failures.pop(key, None)
        self._until.pop(key, None)
