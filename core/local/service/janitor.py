"""The background thread that keeps the workspace small: segments merged or removed, old runs removed, logs rotated."""

import logging
import math
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType

import psutil

from core.domain.errors import SlipwayError
from core.local.machine import logs
from core.local.paths import Paths
from core.local.records import exceptions, forwarding, merging, outcomes
from core.local.records.catalog import Segment
from core.local.service.retention import Retention
from core.local.store import Store
from core.settings import Settings

log = logging.getLogger(__name__)

CLOCK_SLACK_S = 60.0
"""So far the time of a birth, by the kernel, and that of a file, by the server's clock, may lie apart."""


class Compaction:
    """Merges every endpoint's records and kept inputs, and rotates our log, each `every_s` seconds while it is entered.

    Where somebody is to get them (`forwarded`), each segment is handed over first.
    """

    def __init__(
        self,
        store: Store,
        paths: Paths,
        every_s: float,
        forwarded: bool = False,
        keep: merging.Keep = merging.KEEP,
        settings: Settings | None = None,
    ) -> None:
        self._store, self._paths, self._every_s, self._keep = store, paths, every_s, keep
        self._stopping = threading.Event()
        self._forwarding = forwarding.HandingOver(forwarded)
        self._outcomes_max_days = settings.outcomes_max_days if settings else math.inf
        self._retention = Retention(store, settings, wait=self._stopping.wait) if settings else None
        self._failing: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="compaction")

    def __enter__(self) -> "Compaction":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            self._guarded("the workspace", self._once)
        self._store.close()

    def _once(self) -> None:
        for endpoint in self._store.endpoints.list():
            if self._stopping.is_set():
                return
            self._guarded(endpoint.name, partial(self._look_after, endpoint.name))
        if self._retention is not None:
            self._guarded("pipelines' runs", self._retention.once)
        for path in (self._paths.service_log, self._paths.forwarding_log):
            logs.rotate(path)

    def _guarded(self, what: str, act: Callable[[], None]) -> None:
        """One endpoint's failure is its own, and is told once while it lasts.

        Records are read as they are until a later round succeeds, so nothing is lost with this one.
        """
        try:
            act()
        except SlipwayError as e:
            if self._failing.get(what) != e.message:
                log.warning("looking after %s: %s", what, e.message)
            self._failing[what] = e.message
        except Exception as e:
            if self._failing.get(what) != repr(e):
                log.exception("%s could not be looked after", what)
            self._failing[what] = repr(e)
        else:
            self._failing.pop(what, None)

    def _look_after(self, name: str) -> None:
        folder = self._paths.telemetry(name)
        self._forwarding.hand_over(folder, self._paths.forwarded(name), written_by_the_living)
        self._merge(folder, merging.REQUESTS, self._forwarding.done)
        self._merge(self._paths.model_data(name), merging.INPUTS, lambda segment: True)
        exceptions.forget(self._paths.exceptions(name), self._keep.max_days)
        outcomes.forget(self._paths.outcomes(name), self._outcomes_max_days)

    def _merge(self, folder: Path, kind: merging.Kind, ready: Callable[[Segment], bool]) -> None:
        round_ = merging.Merging(folder, kind, now=time.time(), keep=self._keep)
        round_.run(alive=written_by_the_living, ready=ready, stopping=self._stopping.is_set)


def written_by_the_living(segment: Segment) -> bool:
    """Whether the server that opened a segment still runs; its pid may be another process's by now."""
    try:
        born = psutil.Process(segment.pid).create_time()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    # Clocks are set, and the kernel's idea of a birth with them: a segment that is written to has its writer anyway.
    return born <= segment.opened + CLOCK_SLACK_S or time.time() - segment.written < CLOCK_SLACK_S
