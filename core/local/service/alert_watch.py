"""The thread that looks at alerts: it reads what a rule watches, judges it, and keeps what has changed.

A look's outcome and the messages of it are one transaction: who kills the service between two of them loses nothing,
and nobody is told twice of one event by it.
"""

import logging
import time
from collections.abc import Callable, Mapping

from core.domain.alerts import AlertState
from core.local.alerting import keep_event
from core.local.machine.failpoints import Failpoint, reach
from core.local.service.background import Background
from core.local.service.judging import LOOK_S, every_s, judge
from core.local.service.measuring import Measuring, Reading
from core.local.store import Store
from core.local.store.alerts import StoredAlert
from core.workspace import Workspace

log = logging.getLogger(__name__)

LONG_S, SHARE_MAX = 0.5, 0.1
"""A rule whose look takes longer than this is looked at for this share of the time only."""


class Watching:
    """The service's eye on the alerts."""

    def __init__(
        self,
        store: Store,
        workspace: Workspace,
        *,
        clock: Callable[[], float] = time.time,
        look_s: float = LOOK_S,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._workspace, self._clock, self._look_s = store, workspace, clock, look_s
        self._timer = timer
        self._next: dict[tuple[str, int], float] = {}
        """When each rule, in its revision, is looked at next, by the timer."""
        self._failing: dict[str, str] = {}
        self._unreadable: Mapping[str, str] = {}

    def background(self) -> Background:
        """The thread, to be entered."""
        return Background("alerts", self.once, self._store.close, min(1.0, self._look_s))

    def once(self) -> None:
        """Look at every rule whose time has come."""
        measuring = Measuring(self._workspace, self._clock())
        found, unreadable = self._store.alerts.all()
        self._say({alert.name: alert.why for alert in unreadable})
        known = {(stored.rule.name, stored.revision): stored for stored in found}
        self._next = {key: at for key, at in self._next.items() if key in known}
        for key, stored in known.items():
            if self._timer() >= self._next.get(key, 0.0):
                began = self._timer()
                self._look(stored, self._read(measuring, stored))
                took_s = self._timer() - began
                rest_s = took_s / SHARE_MAX if took_s > LONG_S else 0.0
                self._next[key] = began + max(every_s(stored.rule, self._look_s), rest_s)

    def _say(self, unreadable: Mapping[str, str]) -> None:
        """Each one once: they watch nothing until somebody deletes them."""
        for name in unreadable.keys() - self._unreadable.keys():
            log.error("alert %s watches nothing: %s", name, unreadable[name])
        self._unreadable = unreadable

    def _read(self, measuring: Measuring, stored: StoredAlert) -> Reading:
        """One rule's failure is its own: what it watches is not known then."""
        name = stored.rule.name
        try:
            found = measuring.read(stored.rule)
        except Exception as e:
            if self._failing.get(name) != repr(e):
                log.exception("alert %s: what it watches could not be read", name)
            self._failing[name] = repr(e)
            return Reading(None, f"it could not be read ({type(e).__name__}); the service's log says more")
        self._failing.pop(name, None)
        return found

    def _look(self, stored: StoredAlert, reading: Reading) -> None:
        now, name = self._clock(), stored.rule.name
        with self._store.write() as tx:
            known = tx.alerts.find(name)
            if known is None or known.revision != stored.revision:
                return  # somebody has just changed it
            standing, changed = judge(known.rule, known.standing, reading.value, now, reading.why)
            tx.alerts.judged(name, standing)
            if changed is not None:
                keep_event(tx, known, standing, now)
                said = "fired" if changed is AlertState.FIRING else "cleared"
                log.warning("alert %s %s: %s", name, said, standing.text)
            reach(Failpoint.ALERT_JUDGED)
        reach(Failpoint.ALERT_KEPT)
