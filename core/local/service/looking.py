"""The background thread that asks every endpoint whether it answers, as a client would, and keeps what it saw."""

import http.client
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.domain.endpoint import Endpoint, EndpointState
from core.domain.errors import SlipwayError
from core.local.machine.ports import HOST, port_of
from core.local.paths import Paths
from core.local.records import availability
from core.local.store import Store

log = logging.getLogger(__name__)

LOOK_S = 5.0
TIMEOUT_S = 2.0
SLACK_S = 20.0
"""Later than this after the last look nothing is known of the time between: this machine slept, or was too busy."""
DAY_S = 86_400.0
UNASKED = (EndpointState.CREATING, EndpointState.DELETING, EndpointState.STOPPED)


class Looking:
    """Looks at each endpoint that has a deployment."""

    def __init__(
        self,
        store: Store,
        paths: Paths,
        max_days: float,
        *,
        every_s: float = LOOK_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._paths, self._max_days, self._every_s, self._clock = store, paths, max_days, every_s, clock
        self._stopping = threading.Event()
        self._failing = False

    @contextmanager
    def background(self) -> Iterator[None]:
        """Look again and again while this is entered."""
        thread = threading.Thread(target=self._run, name="looking")
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()

    def once(self) -> None:
        """One look at each."""
        for endpoint in self._store.endpoints.list():
            if self._stopping.is_set():
                return
            if endpoint.deployments and endpoint.state not in UNASKED:
                self._look(endpoint)

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            try:
                self.once()
            except (SlipwayError, OSError) as e:
                if not self._failing:
                    log.warning("whether endpoints answer cannot be kept: %s", e)
                self._failing = True
            except Exception:
                log.exception("endpoints could not be looked at")
            else:
                self._failing = False
        self._store.close()

    def _look(self, endpoint: Endpoint) -> None:
        up, now = answers(port_of(endpoint.scoring_uri)), self._clock()
        file = self._paths.availability(endpoint.name)
        if not file.parent.is_dir():
            return  # it was deleted meanwhile
        before = availability.spans(file)
        slack_s = SLACK_S + 2 * self._every_s
        known = availability.seen(before, now, up=up, recorded=endpoint.limits.app_insights, slack_s=slack_s)
        if known != before:
            availability.write(file, known, now - self._max_days * DAY_S)


def answers(port: int) -> bool:
    """Whether an endpoint says that it is healthy, within two seconds."""
    connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
