"""A thread of the service beside its loop: one piece of work, done again and again while it is entered."""

import logging
import threading
from collections.abc import Callable
from types import TracebackType

from core.domain.errors import SlipwayError

log = logging.getLogger(__name__)

STOP_S = 2.0
"""So long the end of the service waits for a round that goes on: what it was about is in the store."""


class Background:
    """Does `once` every `every_s` seconds; `closed` after the last time, in the same thread."""

    def __init__(self, name: str, once: Callable[[], None], closed: Callable[[], None], every_s: float) -> None:
        self._name, self._once, self._closed, self._every_s = name, once, closed, every_s
        self._stopping = threading.Event()
        self._said = ""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> "Background":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(STOP_S)

    def stopping(self) -> bool:
        """Whether the service ends."""
        return self._stopping.is_set()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            self._round()
        self._closed()

    def _round(self) -> None:
        """What fails is tried again, and told once while it stays the same."""
        try:
            self._once()
        except (SlipwayError, OSError) as e:
            if self._said != repr(e):
                log.warning("%s: %s; trying again", self._name, e)
            self._said = repr(e)
        except Exception as e:
            if self._said != repr(e):
                log.exception("%s: a bug; trying again", self._name)
            self._said = repr(e)
        else:
            self._said = ""
