"""Schedules: what each does, up to when its fires are decided, and what became of them."""

from contextlib import suppress
from dataclasses import dataclass

from core.domain.errors import Conflict, PipelineNotFound, StoredUnreadable
from core.domain.job import JobState
from core.domain.schedule import Fire, FireOutcome, ScheduleSpec
from core.local.store.bodies import decode, encode, member
from core.local.store.db import Access, Row
from core.local.store.facts import Facts
from core.local.store.pipelines import changed

REVISION = "schedules_revision"
"""The fact that grows with every change of what schedules do; their fires do not change it."""
LOOKED_AT, ERROR = "scheduler_looked_at", "scheduler_error"
"""The facts by which the scheduler says that it is alive, and what it cannot do."""


@dataclass(frozen=True, slots=True)
class StoredSchedule:
    """A schedule as it is kept."""

    spec: ScheduleSpec
    enabled: bool
    confined: bool
    """Whether its runs read paths in the allowed folders only, as those of whoever created it."""
    considered_at: float
    """Every fire up to then has its record."""
    seen_version: int
    """Every version of its data up to this one has been considered."""
    created_at: float


class Schedules:
    """One row a schedule, one row a fire."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def add(self, spec: ScheduleSpec, now: float, seen_version: int, *, confined: bool) -> None:
        """Keep a new schedule. Raises Conflict for a name that another has."""
        with self._db.write() as tx:
            if tx.row("SELECT 1 FROM schedules WHERE name = ?", spec.name):
                raise Conflict(f"There is a schedule '{spec.name}' already", hint="Choose another name, or update it")
            tx.execute(
                "INSERT INTO schedules (name, spec, confined, considered_at, seen_version, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                *(spec.name, encode(spec), int(confined), now, seen_version, now),
            )
            _changed(tx)

    def put(self, spec: ScheduleSpec, now: float, seen_version: int, *, confined: bool) -> None:
        """Let a schedule that is there do something else from now on."""
        with self._db.write() as tx:
            tx.execute(
                "UPDATE schedules SET spec = ?, confined = ?, considered_at = ?, seen_version = ? WHERE name = ?",
                *(encode(spec), int(confined), now, seen_version, spec.name),
            )
            _changed(tx)

    def get(self, name: str) -> StoredSchedule:
        """One schedule. Raises PipelineNotFound, StoredUnreadable."""
        row = self._db.row("SELECT * FROM schedules WHERE name = ?", name)
        if row is None:
            known = ", ".join(self.names()) or "none yet"
            raise PipelineNotFound(f"There is no schedule '{name}'", hint=f"Schedules: {known}")
        return _stored(row)

    def all(self) -> tuple[StoredSchedule, ...]:
        """All that can be read, by name; of the others the service tells."""
        found = []
        for row in self._db.rows("SELECT * FROM schedules ORDER BY name"):
            with suppress(StoredUnreadable):
                found.append(_stored(row))
        return tuple(found)

    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(row["name"] for row in self._db.rows("SELECT name FROM schedules ORDER BY name"))

    def enabled(self) -> tuple[dict[str, StoredSchedule], dict[str, str]]:
        """Those that are on, by name, and for each that cannot be read why."""
        found, unreadable = {}, {}
        for row in self._db.rows("SELECT * FROM schedules WHERE enabled ORDER BY name"):
            try:
                found[row["name"]] = _stored(row)
            except StoredUnreadable as e:
                unreadable[row["name"]] = e.message
        return found, unreadable

    def enable(self, name: str, now: float, seen_version: int) -> None:
        """Let it fire from now on."""
        with self._db.write() as tx:
            tx.execute(
                "UPDATE schedules SET enabled = 1, considered_at = ?, seen_version = ? WHERE name = ? AND NOT enabled",
                *(now, seen_version, name),
            )
            _changed(tx)

    def disable(self, name: str, now: float) -> None:
        """Let it fire no more; what waits is left out."""
        with self._db.write() as tx:
            tx.execute("UPDATE schedules SET enabled = 0 WHERE name = ?", name)
            tx.execute(
                "UPDATE fires SET outcome = ?, message = ?, recorded_at = ? WHERE schedule = ? AND outcome = ?",
                *(FireOutcome.SKIPPED, "The schedule was turned off while it waited", now, name, FireOutcome.WAITING),
            )
            _changed(tx)

    def delete(self, name: str) -> None:
        """Forget a schedule and its fires."""
        with self._db.write() as tx:
            tx.execute("DELETE FROM schedules WHERE name = ?", name)
            tx.execute("DELETE FROM fires WHERE schedule = ?", name)
            _changed(tx)

    def consider(self, name: str, at: float, seen_version: int) -> None:
        """Every fire up to a moment, and every version up to this one, has its record."""
        with self._db.write() as tx:
            sql = "UPDATE schedules SET considered_at = ?, seen_version = ? WHERE name = ?"
            tx.execute(sql, at, seen_version, name)

    def record(self, fire: Fire) -> bool:
        """Keep what became of a fire; whether there was nothing of it yet, for a fire is decided once."""
        with self._db.write() as tx:
            values = (fire.schedule, fire.key, fire.due_at, fire.outcome, fire.recorded_at, fire.run_id, fire.message)
            new = tx.execute("INSERT OR IGNORE INTO fires VALUES (?, ?, ?, ?, ?, ?, ?)", *values)
            if new:
                changed(tx)
            return bool(new)

    def known(self, name: str, key: str) -> bool:
        """Whether a fire has been decided."""
        return self._db.row("SELECT 1 FROM fires WHERE schedule = ? AND key = ?", name, key) is not None

    def settle(self, fire: Fire) -> None:
        """Say what became of a fire that waited."""
        with self._db.write() as tx:
            tx.execute(
                "UPDATE fires SET outcome = ?, recorded_at = ?, run_id = ?, message = ? WHERE schedule = ? AND key = ?",
                *(fire.outcome, fire.recorded_at, fire.run_id, fire.message, fire.schedule, fire.key),
            )
            changed(tx)

    def fires(self, name: str, limit: int) -> tuple[Fire, ...]:
        """What became of the newest fires, newest first."""
        sql = "SELECT * FROM fires WHERE schedule = ? ORDER BY recorded_at DESC, due_at DESC, rowid DESC LIMIT ?"
        return tuple(map(_fire, self._db.rows(sql, name, limit)))

    def waiting(self, name: str) -> tuple[Fire, ...]:
        """The fires that wait, in the order in which they were due."""
        sql = "SELECT * FROM fires WHERE schedule = ? AND outcome = 'waiting' ORDER BY due_at, rowid"
        return tuple(map(_fire, self._db.rows(sql, name)))

    def with_waiting(self) -> frozenset[str]:
        """The schedules of which a fire waits."""
        rows = self._db.rows("SELECT DISTINCT schedule FROM fires WHERE outcome = 'waiting'")
        return frozenset(row["schedule"] for row in rows)

    def going(self, name: str) -> int:
        """The number of a schedule's run that has not ended, 0 where there is none."""
        row = self._db.row(
            "SELECT r.number FROM runs r JOIN jobs j USING (id) WHERE r.schedule = ? AND j.state IN (?, ?) LIMIT 1",
            *(name, JobState.QUEUED, JobState.RUNNING),
        )
        return row["number"] if row is not None else 0

    def last_run(self, name: str) -> str:
        """The id of the schedule's newest run, empty where there is none."""
        row = self._db.row("SELECT id FROM runs WHERE schedule = ? ORDER BY created_at DESC, id DESC LIMIT 1", name)
        return row["id"] if row is not None else ""

    def take_back(self, name: str, now: float) -> None:
        """The clock went back: what has been decided ahead of it and started nothing is open again."""
        with self._db.write() as tx:
            tx.execute(
                "DELETE FROM fires WHERE schedule = ? AND due_at > ? AND run_id = '' AND outcome <> ?",
                *(name, now, FireOutcome.WAITING),
            )
            tx.execute("UPDATE schedules SET considered_at = min(considered_at, ?) WHERE name = ?", now, name)
            changed(tx)

    def forget_fires(self, name: str, before: float) -> None:
        """Remove the records of old fires."""
        with self._db.write() as tx:
            tx.execute(
                "DELETE FROM fires WHERE schedule = ? AND recorded_at < ? AND due_at < ? AND outcome <> ?",
                *(name, before, before, FireOutcome.WAITING),
            )

    def revision(self) -> str:
        """Another one after each change of what schedules do."""
        return Facts(self._db).get(REVISION)

    def newest_version(self, data: str) -> int:
        """The highest version of a data asset, 0 where there is none."""
        row = self._db.row("SELECT max(version) AS version FROM data WHERE name = ?", data)
        return (row["version"] or 0) if row is not None else 0

    def versions_after(self, data: str, version: int) -> tuple[tuple[int, float], ...]:
        """The later versions of a data asset, and when each was registered."""
        sql = "SELECT version, created_at FROM data WHERE name = ? AND version > ? ORDER BY version"
        return tuple((row["version"], row["created_at"]) for row in self._db.rows(sql, data, version))

    def made_by(self, pipeline: str, reference: str) -> bool:
        """Whether a run of the pipeline made this version of a data asset."""
        sql = (
            "SELECT 1 FROM artifacts a JOIN runs r ON r.id = a.run_id "
            "WHERE a.type = 'data' AND a.reference = ? AND a.made AND r.pipeline = ?"
        )
        return self._db.row(sql, reference, pipeline) is not None

    def preparing(self, pipeline: str) -> bool:
        """Whether a step of the pipeline goes on that may be about to say which data it has made."""
        sql = (
            "SELECT 1 FROM jobs j JOIN runs r USING (id) JOIN steps s ON s.run_id = r.id "
            "WHERE r.pipeline = ? AND j.state = ? AND json_extract(s.body, '$.state') = 'running' "
            "AND json_extract(s.body, '$.kind') IN ('prepare', 'command', 'python')"
        )
        return self._db.row(sql, pipeline, JobState.RUNNING) is not None


def _changed(tx: Access) -> None:
    facts = Facts(tx)
    facts.set(REVISION, str(int(facts.get(REVISION) or 0) + 1))
    changed(tx)


def _stored(row: Row) -> StoredSchedule:
    return StoredSchedule(
        decode(row["spec"], ScheduleSpec, f"schedule '{row['name']}'"),
        bool(row["enabled"]),
        bool(row["confined"]),
        row["considered_at"],
        row["seen_version"],
        row["created_at"],
    )


def _fire(row: Row) -> Fire:
    return Fire(
        row["schedule"],
        row["key"],
        row["due_at"],
        member(FireOutcome, row["outcome"], f"a fire of schedule '{row['schedule']}'"),
        row["recorded_at"],
        row["run_id"],
        row["message"],
    )
