"""Schedules that fire: the record of a fire and its run are one transaction, so that nothing fires twice or is lost.

A look at the clock costs one small query while nothing is due: when each schedule is due next is remembered, and worked
out again when somebody changes a schedule.
"""

import logging
from dataclasses import dataclass, replace
from math import inf

from core.definitions.due import Due, Situation, at_time, decide, due, left_out
from core.definitions.fires import next_fires
from core.domain.errors import ServiceUnavailable, SlipwayError, StorageFull
from core.domain.run import RunOrigin
from core.domain.schedule import Fire, FireOutcome
from core.local.context import Context
from core.local.machine.failpoints import Failpoint, reach
from core.local.scheduling import queue_scheduled
from core.local.service.backoff import Backoff
from core.local.store import Nouns
from core.local.store.schedules import ERROR, LOOKED_AT, StoredSchedule

log = logging.getLogger(__name__)

SAID_EVERY_S = 5.0
"""So often the store is told that schedules are looked at."""
DAY_S = 86_400.0


@dataclass(slots=True)
class _Known:
    """A schedule that is on, as it is in the store, and what is to be watched of it."""

    stored: StoredSchedule
    next_at: float
    waits: bool
    """One of its fires waits for its last run to end."""


class Scheduler:
    """The service's eye on the schedules."""

    def __init__(self, context: Context) -> None:
        self._context, self._store, self._clock = context, context.store, context.clock
        self._backoff = Backoff()
        self._known: dict[str, _Known] = {}
        self._unreadable: dict[str, str] = {}
        self._failing: dict[str, str] = {}
        self._revision = ""
        self._first_seen: dict[str, float] = {}
        """When a data version that cannot be decided yet was first seen."""
        self._said_at, self._said = -inf, (self._store.facts.get(LOOKED_AT), self._store.facts.get(ERROR))

    def tick(self) -> None:
        """Decide every fire that is due by now."""
        now = self._clock()
        if (revision := self._store.schedules.revision()) != self._revision:
            self._load()
            self._revision = revision
        if ahead := [known for known in self._known.values() if known.stored.considered_at > now]:
            self._take_back(ahead, now)
        for name, known in list(self._known.items()):
            if not self._backoff.waits(name):
                self._guarded(name, known, now)
        self._say(now)

    def _load(self) -> None:
        found, unreadable = self._store.schedules.enabled()
        waiting = self._store.schedules.with_waiting()
        self._known = {}
        for name, stored in found.items():
            try:
                self._known[name] = _Known(stored, _next_at(stored), name in waiting)
            except Exception as e:  # noqa: BLE001 - one schedule's failure is its own, and it is told
                unreadable[name] = _said(e)
            self._backoff.clear(name)
        self._failing = {name: error for name, error in self._failing.items() if name in self._known}
        if new := {name: error for name, error in unreadable.items() if self._unreadable.get(name) != error}:
            log.error("schedules that cannot fire: %s", new)
        self._unreadable = unreadable

    def _take_back(self, ahead: list[_Known], now: float) -> None:
        """The clock went back. What has fired does not fire again; what was only left out comes again."""
        behind = max(known.stored.considered_at for known in ahead) - now
        said = f"The clock went back: it is {behind:.0f} s behind what schedules have seen. Nothing fires twice"
        log.warning("%s", said)
        with self._store.write() as tx:
            for known in ahead:
                tx.schedules.take_back(known.stored.spec.name, now)
            tx.audit.add(now, "scheduler", said)
        self._load()

    def _guarded(self, name: str, known: _Known, now: float) -> None:
        """One schedule's failure is its own: the others go on."""
        try:
            if self._has_news(name, known, now):
                self._look(name, known, now)
        except (StorageFull, ServiceUnavailable, OSError):
            raise
        except Exception as e:
            self._failing[name] = _said(e)
            log.error("schedule %s: %s", name, self._failing[name], exc_info=not isinstance(e, SlipwayError))
            self._backoff.failed(name)
        else:
            self._failing.pop(name, None)
            self._backoff.clear(name)

    def _has_news(self, name: str, known: _Known, now: float) -> bool:
        kept, spec = self._store.schedules, known.stored.spec
        return (
            known.next_at <= now
            or bool(spec.data and kept.newest_version(spec.data) > known.stored.seen_version)
            or (known.waits and not kept.going(name))
        )

    def _look(self, name: str, known: _Known, now: float) -> None:
        stored = known.stored
        fires, dropped = due(stored.spec, stored.considered_at, now, stored.created_at)
        with self._store.write() as tx:
            if tx.schedules.get(name) != stored:  # somebody has just changed it
                self._revision = ""
                return
            fires, seen = self._versions(tx, stored, now) if stored.spec.data else (fires, stored.seen_version)
            if dropped is not None:
                said = left_out(dropped, fires[0])
                tx.schedules.record(Fire(name, dropped.key, dropped.due_at, FireOutcome.MISSED, now, message=said))
            self._start_waiting(tx, stored, now)
            for fire in fires:
                self._decide(tx, stored, fire, now, latest=fire is fires[-1])
            if fires or seen != stored.seen_version:
                tx.schedules.consider(name, now, seen)
                tx.schedules.forget_fires(name, now - self._context.settings.runs_max_days * DAY_S)
                stored = replace(stored, considered_at=now, seen_version=seen)
            waits = bool(tx.schedules.waiting(name))
            reach(Failpoint.FIRE_DECIDED)
        reach(Failpoint.FIRE_KEPT)
        self._known[name] = _Known(stored, _next_at(stored), waits)

    def _versions(self, tx: Nouns, stored: StoredSchedule, now: float) -> tuple[tuple[Due, ...], int]:
        """The new versions that start a run, and the newest one that is decided by that.

        A step that prepares data may be about to say that a version is its own: until it has ended, nobody knows.
        """
        spec, seen = stored.spec, stored.seen_version
        preparing = tx.schedules.preparing(spec.pipeline)
        found = []
        for version, created_at in tx.schedules.versions_after(spec.data, seen):
            reference = f"{spec.data}:{version}"
            if not tx.schedules.made_by(spec.pipeline, reference):
                first_seen = self._first_seen.setdefault(reference, now)
                if preparing:
                    break
                found.append(replace(at_time(created_at, first_seen), key=reference))
            self._first_seen.pop(reference, None)
            seen = version
        return tuple(found), seen

    def _start_waiting(self, tx: Nouns, stored: StoredSchedule, now: float) -> None:
        """Start the fire that has waited longest, where the last run has ended."""
        name = stored.spec.name
        for fire in tx.schedules.waiting(name):
            if tx.schedules.going(name):
                return
            outcome, run_id, message = self._start(tx, stored, fire.key)
            tx.schedules.settle(replace(fire, outcome=outcome, recorded_at=now, run_id=run_id, message=message))

    def _decide(self, tx: Nouns, stored: StoredSchedule, fire: Due, now: float, *, latest: bool) -> None:
        name = stored.spec.name
        if tx.schedules.known(name, fire.key):
            return
        situation = Situation(tx.schedules.going(name), len(tx.schedules.waiting(name)))
        outcome, message = decide(stored.spec, fire, situation, latest=latest)
        run_id = ""
        if outcome is FireOutcome.STARTED:
            outcome, run_id, message = self._start(tx, stored, fire.key)
        tx.schedules.record(Fire(name, fire.key, fire.due_at, outcome, now, run_id, message))
        log.info("schedule %s: %s %s%s", name, fire.key, outcome, f": {message}" if message else "")

    def _start(self, tx: Nouns, stored: StoredSchedule, key: str) -> tuple[FireOutcome, str, str]:
        """Queue the run of a fire; a pipeline that cannot be started fails the fire, and nothing else."""
        origin = RunOrigin.DATA if stored.spec.data else RunOrigin.SCHEDULE
        version = int(key.rpartition(":")[2]) if stored.spec.data else 0
        try:
            return FireOutcome.STARTED, queue_scheduled(self._context, tx, stored, version, origin), ""
        except (StorageFull, ServiceUnavailable):
            raise
        except SlipwayError as e:
            return FireOutcome.FAILED, "", f"{e.message}{f'. {e.hint}' if e.hint else ''}"

    def _say(self, now: float) -> None:
        """Tell the store that schedules were looked at, and what is wrong; nothing where there are none."""
        errors = self._unreadable | self._failing
        error = "; ".join(f"{name}: {message}" for name, message in sorted(errors.items()))
        looked_at = str(now) if self._known or errors else ""
        changed = error != self._said[1] or bool(looked_at) != bool(self._said[0])
        if not changed and (not looked_at or abs(now - self._said_at) < SAID_EVERY_S):
            return
        with self._store.write() as tx:
            tx.facts.set(LOOKED_AT, looked_at)
            tx.facts.set(ERROR, error)
        self._said_at, self._said = now, (looked_at, error)


def _said(error: Exception) -> str:
    return error.message if isinstance(error, SlipwayError) else f"{type(error).__name__}: {error}"


def _next_at(stored: StoredSchedule) -> float:
    """When a schedule has to be looked at next."""
    upcoming = next_fires(stored.spec, stored.considered_at, since=stored.created_at)
    return upcoming[0] if upcoming else inf
