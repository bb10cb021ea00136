"""An event loop whose clock jumps to the next thing that is due: hours of waiting pass at once, always in one order."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

MOMENT_S = 1e-9


class _Selector(selectors.DefaultSelector):  # type: ignore[valid-type,misc] # chosen by the platform
    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        """Skips the wait instead of waiting."""
        assert timeout is not None, "nothing is due, and so nothing would ever happen"
        # Time passes with every look, or what is due within the clock's resolution would be looked for again and again.
        self.now += max(timeout, 0.0) + MOMENT_S
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self._clock_resolution = MOMENT_S

    def time(self) -> float:
        return self._virtual.now


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine gives."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)
