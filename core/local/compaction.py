"""The background thread that turns finished telemetry segments into Parquet."""

import logging
import threading
from types import TracebackType

import psutil

from core.local import telemetry
from core.local.paths import Paths
from core.local.store import Store

log = logging.getLogger(__name__)


class Compaction:
    """Compacts every endpoint's telemetry each `every_s` seconds while it is entered."""

    def __init__(self, store: Store, paths: Paths, every_s: float) -> None:
        self._store, self._paths, self._every_s = store, paths, every_s
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
        try:
            for endpoint in self._store.list_endpoints():
                telemetry.compact(self._paths.telemetry(endpoint.name), alive=psutil.pid_exists)
        except Exception:
            # Segments are read as they are until a later round succeeds, so nothing is lost with this one.
            log.exception("telemetry was not compacted")
