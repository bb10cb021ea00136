"""Asks every endpoint whether it answers, as a client would, and keeps what it saw."""

import http.client
import time
from collections.abc import Callable

from core.domain.endpoint import Endpoint, EndpointState
from core.local.machine.ports import HOST, port_of
from core.local.paths import Paths
from core.local.records import availability
from core.local.service.background import Background
from core.local.store import Store

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
        self._background = Background("whether endpoints answer", self.once, store.close, every_s)

    def background(self) -> Background:
        """The thread, to be entered."""
        return self._background

    def once(self) -> None:
        """One look at each."""
        for endpoint in self._store.endpoints.list():
            if self._background.stopping():
                return
            if endpoint.deployments and endpoint.state not in UNASKED:
                self._look(endpoint)

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
