"""The background thread that keeps the workspace's files small: telemetry segments to Parquet, long logs cut."""

import logging
import os
import threading
import time
from functools import partial
from pathlib import Path
from types import TracebackType

import psutil

from core.domain.errors import ServiceUnavailable
from core.local import forwarding, telemetry
from core.local.paths import Paths
from core.local.store import Store

log = logging.getLogger(__name__)

LOG_MAX_BYTES = 64 * 2**20
"""A scoring server says a line of about 300 bytes a request: this much is a quarter of a million of them."""
LOG_KEPT_BYTES = 8 * 2**20


class Compaction:
    """Compacts every endpoint's telemetry, and cuts its log, each `every_s` seconds while it is entered.

    With an `otlp_url`, each segment is forwarded there first.
    """

    def __init__(self, store: Store, paths: Paths, every_s: float, otlp_url: str = "") -> None:
        self._store, self._paths, self._every_s, self._otlp_url = store, paths, every_s, otlp_url
        self._reached = True
        self._stopping = threading.Event()
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
            self._once()
        self._store.close()

    def _once(self) -> None:
        self._reached = True
        try:
            for endpoint in self._store.list_endpoints():
                forwarded = partial(self._forwarded, endpoint.name)
                telemetry.compact(self._paths.telemetry(endpoint.name), alive=psutil.pid_exists, ready=forwarded)
                cut(self._paths.endpoint_log(endpoint.name))
            cut(self._paths.service_log)
        except Exception:
            # Segments are read as they are until a later round succeeds, so nothing is lost with this one.
            log.exception("telemetry was not compacted")

    def _forwarded(self, endpoint: str, segment: Path) -> bool:
        """Whether a segment needs to wait for the collector no longer; one that fails is not asked again this round."""
        if not self._otlp_url:
            return True
        if self._reached and not self._stopping.is_set():
            try:
                forwarding.forward(segment, endpoint, self._otlp_url)
            except ServiceUnavailable as e:
                self._reached = False
                log.warning("%s", e)
            else:
                return True
        return time.time() - segment.stat().st_mtime > forwarding.GIVE_UP_S


def cut(path: Path, max_bytes: int = LOG_MAX_BYTES, kept_bytes: int = LOG_KEPT_BYTES) -> None:
    """Cut a log that is longer than `max_bytes`; its last `kept_bytes` go to a file beside it, with `.1` at the end.

    Its writers have it open for appending, so they go on at its new end. A line written between the copy and the cut
    is lost: telemetry, not this log, is the record.
    """
    if not path.exists() or path.stat().st_size <= max_bytes:
        return
    with path.open("rb") as file:
        file.seek(-kept_bytes, os.SEEK_END)
        kept = file.read()
    path.with_name(f"{path.name}.1").write_bytes(kept)
    os.truncate(path, 0)
