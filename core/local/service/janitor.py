"""The background thread that keeps the workspace small: segments merged or removed, old runs removed, logs rotated."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType

import psutil

from core.domain.errors import ServiceUnavailable, SlipwayError
from core.local.machine import logs
from core.local.paths import Paths
from core.local.records import catalog, forwarding, merging
from core.local.records.catalog import Segment
from core.local.service.retention import Retention
from core.local.store import Store
from core.settings import Settings

log = logging.getLogger(__name__)

CLOCK_SLACK_S = 60.0
"""So far the time of a birth, by the kernel, and that of a file, by the server's clock, may lie apart."""


class Compaction:
    """Merges every endpoint's records and kept inputs, and rotates our log, each `every_s` seconds while it is entered.

    With an `otlp_url`, each segment is forwarded there first.
    """

    def __init__(
        self,
        store: Store,
        paths: Paths,
        every_s: float,
        otlp_url: str = "",
        keep: merging.Keep = merging.KEEP,
        settings: Settings | None = None,
    ) -> None:
        self._store, self._paths, self._every_s, self._keep = store, paths, every_s, keep
        self._stopping = threading.Event()
        self._forwarder = Forwarder(otlp_url, self._stopping.is_set)
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
            self._forwarder.begin_round()
            self._guarded("the workspace", self._once)
        self._store.close()

    def _once(self) -> None:
        for endpoint in self._store.endpoints.list():
            if self._stopping.is_set():
                return
            self._guarded(endpoint.name, partial(self._look_after, endpoint.name))
        if self._retention is not None:
            self._guarded("pipelines' runs", self._retention.once)
        logs.rotate(self._paths.service_log)

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
        self._forwarder.forward(folder, name)
        self._merge(folder, merging.REQUESTS, self._forwarder.done)
        self._merge(self._paths.model_data(name), merging.INPUTS, lambda segment: True)

    def _merge(self, folder: Path, kind: merging.Kind, ready: Callable[[Segment], bool]) -> None:
        round_ = merging.Merging(folder, kind, now=time.time(), keep=self._keep)
        round_.run(alive=written_by_the_living, ready=ready, stopping=self._stopping.is_set)


class Forwarder:
    """Sends segments to a collector, each once: those that it took say so by their name."""

    def __init__(self, url: str, stopping: Callable[[], bool]) -> None:
        self._url, self._stopping = url, stopping
        self._reached = True
        self._taken: dict[str, int] = {}
        """How many records of a segment the collector has taken, where it did not take all."""

    def begin_round(self) -> None:
        """A collector that did not answer is asked again."""
        self._reached = True

    def forward(self, folder: Path, endpoint: str) -> None:
        """Send what is finished; one failure ends it for this round."""
        for segment in catalog.look(folder).segments if self._url else ():
            waits = not self.done(segment) and not (segment.still_open and written_by_the_living(segment))
            if waits and self._reached and not self._stopping():
                self._send(segment, endpoint)

    def done(self, segment: Segment) -> bool:
        """Whether a segment needs to wait for the collector no longer."""
        waits = self._url and segment.path.suffix in (".jsonl", ".open") and not catalog.sent(segment.path)
        return not waits or time.time() - segment.written > forwarding.GIVE_UP_S

    def _send(self, segment: Segment, endpoint: str) -> None:
        skip, note = self._taken.get(segment.stem, 0), partial(self._taken.__setitem__, segment.stem)
        try:
            forwarding.forward(segment.path, endpoint, self._url, skip=skip, on_taken=note)
        except ServiceUnavailable as e:
            self._reached = False
            log.warning("%s", e)
        else:
            segment.path.rename(catalog.as_sent(segment.path))
            self._taken.pop(segment.stem, None)


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
