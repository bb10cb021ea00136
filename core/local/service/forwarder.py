"""The process that forwards telemetry, while a setting names somebody who is to get it: started, and started again."""

import logging
import time

from core.forwarding import standing
from core.local import forwarding
from core.local.machine import processes
from core.local.machine.processes import Process
from core.local.paths import Paths
from core.local.service.backoff import Backoff
from core.settings import Settings

log = logging.getLogger(__name__)

COMMAND = processes.python_module("core.forwarding")
STOP_S = 2.0
STABLE_S = 60.0
"""A process that has lived this long before it ends is started again at once."""


def wanted(settings: Settings) -> bool:
    """Whether anybody is to get telemetry."""
    return bool(forwarding.receivers(settings))


class Forwarder:
    """The service's child. It ends by itself soon after a service that was killed."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._paths = settings, Paths(settings.home)
        self._backoff = Backoff(1.0, 60.0)
        self._process: Process | None = None
        self._begun_s = 0.0

    def tick(self) -> None:
        """Start it where it does not run."""
        if not wanted(self._settings):
            (self._settings.home / standing.FILE).unlink(missing_ok=True)
            return
        if self._backoff.waits("start"):
            return
        if self._process is not None:
            if processes.alive(self._process):
                return
            if time.monotonic() - self._begun_s >= STABLE_S:
                self._backoff.clear("start")
            said = processes.last_line(self._paths.forwarding_log)
            failures = self._backoff.failed("start")
            if failures == 1 or failures % 100 == 0:
                log.warning("the process that forwards telemetry has ended: %s; starting it again", said or "no reason")
            self._process = None
            return
        environ = processes.environment(self._settings)
        command = (*COMMAND, str(self._settings.home))
        self._begun_s = time.monotonic()
        self._process = processes.spawn(command, log=self._paths.forwarding_log, environ=environ)

    def stop(self) -> None:
        """End it; what it has not sent it sends at the next start."""
        if self._process is not None:
            processes.end_groups([self._process], STOP_S)
            self._process = None
