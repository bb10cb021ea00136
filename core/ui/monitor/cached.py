"""What takes long to compute of an endpoint's rows: looked at beside the page, and anew when it is a minute old.

The first look at a busy endpoint's drift may take longer than a page should; whoever can do without it does not wait.
All of it is frozen and shared by all visits.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock, Semaphore
from typing import Any, Generic, TypeVar

import streamlit as st

from core.domain.drift import DriftReport, Predictions
from core.domain.errors import SlipwayError
from core.domain.outcomes import LiveQuality
from core.ui.shell.cached import where, workspace

T = TypeVar("T")
ANEW_S = 60.0
BRIEF_S = 0.15
"""So long does a page wait for what it can do without."""
AT_ONCE = Semaphore(2)
"""So many looks compute at a time, of all visits."""


class Look(Generic[T]):
    """What a verb says, from a thread of its own; the last answer stands until there is a newer one."""

    def __init__(self, verb: Callable[[], T]) -> None:
        self._verb, self._lock = verb, Lock()
        self._last: Future[T] | None = None
        self._next: Future[T] | None = None
        self._begun = 0.0

    def told(self) -> T:
        """What it says now. Raises what the verb raises."""
        return self._newest().result()

    def briefly(self) -> T | None:
        """What it said last; None where that is not known yet, or where it failed."""
        newest = self._newest()
        shown = newest if newest.done() or self._last is None else self._last
        try:
            return shown.result(BRIEF_S)
        except (TimeoutError, SlipwayError):
            return None

    def _newest(self) -> Future[T]:
        with self._lock:
            old = time.monotonic() - self._begun > ANEW_S
            if self._next is None or (old and self._next.done()):
                looking = ThreadPoolExecutor(1, "monitor-look")
                self._last, self._next = self._next, looking.submit(_in_turn, self._verb)
                looking.shutdown(wait=False)  # its thread ends with the look
                self._begun = time.monotonic()
            return self._next


def _in_turn(verb: Callable[[], T]) -> T:
    with AT_ONCE:
        return verb()


def drift(endpoint: str, window_s: float, deployment: str = "") -> Look[DriftReport]:
    """An endpoint's inputs and scores against training."""
    found: Look[DriftReport] = _look(where(), "drift", endpoint, window_s, deployment)
    return found


def predictions(endpoint: str, window_s: float, deployment: str = "") -> Look[Predictions]:
    """What an endpoint predicted."""
    found: Look[Predictions] = _look(where(), "predictions", endpoint, window_s, deployment)
    return found


def quality(endpoint: str, window_s: float, deployment: str = "") -> Look[LiveQuality]:
    """How good an endpoint's answers were."""
    found: Look[LiveQuality] = _look(where(), "quality", endpoint, window_s, deployment)
    return found


def forget() -> None:
    """What somebody has just sent or set decides what is said: the next looks ask anew."""
    _look.clear()


@st.cache_resource(max_entries=96, show_spinner=False)
def _look(where: str, verb: str, endpoint: str, window_s: float, deployment: str) -> Look[Any]:
    ask = getattr(workspace().records, verb)
    return Look(lambda: ask(endpoint, window_s, deployment=deployment))
