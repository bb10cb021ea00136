"""The trials of training jobs."""

from dataclasses import replace

from core.domain.training import Trial, TrialState
from core.local.store.bodies import decode, encode
from core.local.store.db import Access


class Trials:
    """What was tried, by job and number."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def put(self, job_id: str, trial: Trial) -> None:
        """Insert a trial or replace what was known of it."""
        kept = "INSERT INTO trials VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
        with self._db.write() as tx:
            tx.execute(kept, job_id, trial.number, encode(trial))

    def list(self, job_id: str) -> tuple[Trial, ...]:
        """A job's trials, by number."""
        rows = self._db.rows("SELECT * FROM trials WHERE job_id = ? ORDER BY number", job_id)
        return tuple(decode(row["body"], Trial, f"trial {row['number']} of job '{job_id}'") for row in rows)

    def stop(self, job_id: str) -> None:
        """Mark the trials that still run as stopped: once a job has ended, nothing of it runs on."""
        with self._db.write() as tx:
            for trial in Trials(tx).list(job_id):
                if trial.state is TrialState.RUNNING:
                    Trials(tx).put(job_id, replace(trial, state=TrialState.STOPPED))
