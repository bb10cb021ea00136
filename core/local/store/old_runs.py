"""Runs whose time is over: their rows go first, and the folders of their jobs stay noted until they are gone too."""

from core.domain.job import JobKind, JobState
from core.local.store.db import Access
from core.local.store.pipelines import changed

FOLDER = "job.removed "
"""What the facts' keys begin with that name jobs whose rows are gone and whose folders may be there."""
GOING = "SELECT id FROM jobs WHERE kind = 'pipeline' AND state IN ('queued', 'running')"
_NEEDED = f"""
    SELECT json_extract(body, '$.reused_from') FROM steps WHERE run_id IN ({GOING})
    UNION SELECT retry_of FROM runs WHERE id IN ({GOING})
"""  # noqa: S608 - our own texts
"""The runs from which one that goes on has taken something over."""
_OLD = f"""
    SELECT r.id FROM runs r JOIN jobs j USING (id)
    WHERE r.created_at < ?1 AND coalesce(j.ended_at, j.created_at) < ?1 AND j.state NOT IN (?2, ?3)
        AND r.number < (SELECT max(number) FROM runs WHERE pipeline = r.pipeline)
        AND r.id NOT IN (SELECT * FROM ({_NEEDED}))
    ORDER BY r.created_at, r.id LIMIT ?4
"""  # noqa: S608


class OldRuns:
    """What is removed of runs, by age and by size. Tables, models, trainings and deployments stay."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def remove(self, before: float, limit: int) -> int:
        """Forget so many final runs that ended before then, oldest first; how many there were.

        The newest run of each pipeline stays, and so does what a run that goes on has taken something over from.
        """
        with self._db.write() as tx:
            rows = tx.rows(_OLD, before, JobState.QUEUED, JobState.RUNNING, limit)
            for row in rows:
                OldRuns(tx)._forget(row["id"])
            if rows:
                changed(tx)
        return len(rows)

    def folders(self) -> tuple[str, ...]:
        """The jobs that were removed and whose folders may be there still."""
        rows = self._db.rows("SELECT key FROM facts WHERE substr(key, 1, ?) = ?", len(FOLDER), FOLDER)
        return tuple(row["key"].removeprefix(FOLDER) for row in rows)

    def swept(self, job_ids: tuple[str, ...]) -> None:
        """Their folders are gone."""
        with self._db.write() as tx:
            for job_id in job_ids:
                tx.execute("DELETE FROM facts WHERE key = ?", f"{FOLDER}{job_id}")

    def give_up_outputs(self, job_id: str) -> bool:
        """Let nobody reuse what a step's job has left; False where a run that goes on needs its files.

        Ask inside the transaction in which they are put out of the way.
        """
        with self._db.write() as tx:
            needed = (
                f"SELECT 1 FROM steps WHERE run_id IN ({GOING}) AND json_extract(body, '$.job_id') = ?1 "  # noqa: S608
                f"UNION SELECT 1 FROM jobs WHERE id = ?1 AND parent_id IN ({GOING})"
            )
            if tx.row(needed, job_id) is not None:
                return False
            tx.execute(
                "DELETE FROM kept_steps WHERE (run_id, step) IN "
                "(SELECT parent_id, json_extract(spec, '$.step') FROM jobs WHERE id = ?)",
                job_id,
            )
            changed(tx)
            return True

    def _forget(self, run_id: str) -> None:
        with self._db.write() as tx:
            steps = tx.rows("SELECT id FROM jobs WHERE parent_id = ? AND kind = ?", run_id, JobKind.STEP)
            for job_id in (run_id, *(row["id"] for row in steps)):
                tx.execute("UPDATE jobs SET parent_id = NULL WHERE parent_id = ? AND kind <> ?", job_id, JobKind.STEP)
                tx.execute("INSERT OR REPLACE INTO facts VALUES (?, '')", f"{FOLDER}{job_id}")
            tx.execute("DELETE FROM jobs WHERE parent_id = ? AND kind = ?", run_id, JobKind.STEP)
            tx.execute("DELETE FROM jobs WHERE id = ?", run_id)
            tx.execute("DELETE FROM runs WHERE id = ?", run_id)
            for table in ("steps", "artifacts", "kept_steps", "triggers", "notices"):
                tx.execute(f"DELETE FROM {table} WHERE run_id = ?", run_id)  # noqa: S608 - our own names
