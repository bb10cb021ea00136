"""The emulation's own time: it can be wound forward, and the minutes of a budget are shorter than real ones."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from core.emulator.state import State

DEFAULT_SCALE = 30.0
"""15 minutes, Azure's least budget of an AutoML job, are 30 s."""


class Clock:
    """Real time plus what it was wound forward, which is kept; `scale` emulated seconds of a budget are a real one."""

    def __init__(self, state: State, scale: float = DEFAULT_SCALE, now: Callable[[], float] = time.time) -> None:
        self._state, self.scale, self._now = state, scale, now

    def now(self) -> float:
        """Seconds since the epoch, as the emulation's clients see them."""
        return self._now() + float(self._state.get("clock", {}).get("ahead_s", 0.0))

    def real(self) -> float:
        """The real time, in seconds since the epoch."""
        return self._now()

    def shown(self, real: float) -> float:
        """A real time as the emulation's clients see it."""
        return real + float(self._state.get("clock", {}).get("ahead_s", 0.0))

    def forward(self, seconds: float) -> float:
        """Wind the clock forward, and give the new time."""
        ahead = float(self._state.get("clock", {}).get("ahead_s", 0.0)) + seconds
        self._state.put("clock", {"ahead_s": ahead})
        return self.now()

    def real_s(self, emulated_s: float) -> float:
        """How long a budget of so many emulated seconds really lasts."""
        return emulated_s / self.scale


def iso(at: float) -> str:
    """A time as Azure writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
