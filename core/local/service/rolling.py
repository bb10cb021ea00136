"""Servers of an older format than ours get new workers or, where that is not to be had, end for another server."""

import logging
import signal
from collections.abc import Callable

from core.contract.endpoint_file import FORMAT, ServerStatus
from core.local.machine import processes
from core.local.machine.processes import Process

log = logging.getLogger(__name__)

UNTOLD, FIRST = 0, 1
"""What a server says that was started before servers said their format, and the format that all of those read.

Its parent could not tell us that its workers are new.
"""


class Rolling:
    """Rolls servers bit by bit; one that did not take up our format is asked again after `patience_s`."""

    def __init__(self, endings: processes.Endings, patience_s: float, clock: Callable[[], float]) -> None:
        self._endings, self._patience_s, self._clock = endings, patience_s, clock
        self._asked_at: dict[int, float] = {}
        """When the parent of that number was asked for new workers."""
        self._ending: set[str] = set()

    def ends(self, name: str, server: Process, status: ServerStatus) -> bool:
        """Take one step with a server that lives; whether it is to end, and another to be started.

        One that tells its format drops no request and lives on: its workers are replaced by those of the code that is
        here now, each once the new one answers. Any other answers what is in flight and ends.
        """
        if (status.format or FIRST) >= FORMAT:
            self._asked_at.pop(server.pid, None)
            return False
        if status.format == UNTOLD:
            if name not in self._ending:
                log.info("endpoint %s: server %d is of an older format, ending it", name, server.pid)
            self._ending.add(name)
            self._endings.gone(server)
            return True
        now = self._clock()
        if now - self._asked_at.get(server.pid, float("-inf")) >= self._patience_s:
            log.info("endpoint %s: server %d is of format %d, asking for new workers", name, server.pid, status.format)
            self._asked_at[server.pid] = now
            processes.signal_one(server, signal.SIGHUP)
        return False

    def ended(self, name: str) -> bool:
        """Whether the server that died was to end; asked once."""
        ended = name in self._ending
        self._ending.discard(name)
        return ended
