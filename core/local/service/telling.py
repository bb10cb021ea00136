"""Runs that failed are told to a webhook and to a program, at least once each, whoever is killed in between."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote

import msgspec

from core.domain.errors import JobNotFound, ServiceUnavailable, StoredUnreadable
from core.domain.job import Job
from core.domain.run import PipelineRunSpec, StepState
from core.local.service.background import Background
from core.local.service.notifying import run_command, send_post
from core.local.store import Store
from core.local.store.notices import Notice
from core.settings import Settings

log = logging.getLogger(__name__)

EVERY_S = 1.0
FIRST_S, LONGEST_S = 10.0, 3600.0
"""The wait after a first failure, twice as long after each further one, and the longest."""
GIVE_UP_S = 24 * 3600.0


class Send(Protocol):
    """One way to tell somebody. Raises ServiceUnavailable where it was not taken."""

    def __call__(self, body: bytes, stopping: Callable[[], bool]) -> None: ...


@dataclass(frozen=True, slots=True)
class Way:
    """Who is told, for the log, and how."""

    name: str
    send: Send


def ways(settings: Settings) -> tuple[Way, ...]:
    """All that the settings name."""
    found = []
    if settings.notify_url:
        found.append(Way("SLIPWAY_NOTIFY_URL", lambda body, stopping: send_post(settings.notify_url, body)))
    if settings.notify_command:
        found.append(
            Way("SLIPWAY_NOTIFY_COMMAND", lambda body, stopping: run_command(settings.notify_command, body, stopping))
        )
    return tuple(found)


class Telling:
    """Tells of runs that failed."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.time,
        every_s: float = EVERY_S,
        told: Sequence[Way] | None = None,
    ) -> None:
        self._store, self._clock = store, clock
        self._ways = ways(settings) if told is None else told
        self._taken: set[tuple[str, str]] = set()
        """Which way has taken which run, where another has not yet: it is not told twice while we live."""
        self._background = Background("messages of failed runs", self.once, store.close, every_s)

    def background(self) -> Background:
        """The thread, to be entered: what was not taken when it ends is told again at the next start."""
        return self._background

    def once(self) -> None:
        """Tell of every run whose time has come."""
        for notice in self._store.notices.due(self._clock(), LONGEST_S):
            if self._background.stopping():
                return
            self._tell(notice)

    def _tell(self, notice: Notice) -> None:
        problems = []
        try:
            body = self._body(notice.run_id) if self._ways else None
        except StoredUnreadable as e:  # one run's, and the others are told of
            self._note(notice, e.message)
            return
        for way in self._ways if body is not None else ():
            assert body is not None
            if (notice.run_id, way.name) not in self._taken:
                try:
                    way.send(body, self._background.stopping)
                except ServiceUnavailable as e:
                    problems.append(f"{way.name}: {e.message}")
                else:
                    self._taken.add((notice.run_id, way.name))
        if not self._background.stopping() or not problems:
            self._note(notice, "; ".join(problems))

    def _note(self, notice: Notice, problem: str) -> None:
        now = self._clock()
        if problem and now - notice.created_at < GIVE_UP_S:
            log.warning("run %s failed, and that was not told. %s; trying again", notice.run_id, problem)
            wait_s = min(LONGEST_S, FIRST_S * 2.0 ** min(notice.tries, 20))
            self._store.notices.put_off(notice.run_id, now + wait_s, problem)
            return
        if problem:
            log.error("run %s failed, and nobody could be told for a day. %s", notice.run_id, problem)
        self._store.notices.close(notice.run_id, now, problem)
        self._taken -= {(notice.run_id, way.name) for way in self._ways}

    def _body(self, run_id: str) -> bytes | None:
        """What is told of a run; None where it has been removed meanwhile."""
        try:
            job = self._store.jobs.get(run_id)
        except JobNotFound:
            return None
        return msgspec.json.encode(message(self._store, job))


def message(store: Store, job: Job) -> dict[str, Any]:
    """What is told of a failed run: no key, no parameter and no output is in it."""
    assert isinstance(job.spec, PipelineRunSpec)
    summary = store.runs.summary(job.id)
    number = summary.number if summary else 0
    failed = next((step for step in store.runs.steps(job.id) if step.state is StepState.FAILED), None)
    pipeline = job.spec.pipeline
    return {
        "event": "run.failed",
        "text": f"Run {number} of pipeline '{pipeline}' failed: {job.message}",
        "run": job.id,
        "pipeline": pipeline,
        "version": job.spec.version,
        "number": number,
        "experiment": job.experiment_name,
        "schedule": job.spec.schedule,
        "state": job.state,
        "message": job.message,
        "hint": job.hint,
        "failed_step": failed.name if failed else None,
        "started_at": _moment(job.started_at),
        "ended_at": _moment(job.ended_at),
        "uri": f"{store.facts.get('service_url') or ''}/pipelines/{quote(pipeline, safe='')}/jobs/{job.id}",
    }


def _moment(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
