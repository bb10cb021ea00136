"""Repeat keys of triggers: which run each has started, for as long as it is remembered."""

from dataclasses import dataclass

from core.local.store.db import Access

KEPT_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Known:
    """What a repeat key has started."""

    run_id: str
    digest: str
    """Of what was asked for."""


class Triggers:
    """One row a repeat key of a pipeline."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def find(self, pipeline: str, repeat_key: str, now: float) -> Known | None:
        """What the key has started within 24 hours; None where that is nothing, or a run that was removed."""
        row = self._db.row(
            "SELECT t.run_id, t.digest FROM triggers t JOIN runs r ON r.id = t.run_id "
            "WHERE t.pipeline = ? AND t.repeat_key = ? AND t.created_at > ?",
            *(pipeline, repeat_key, now - KEPT_S),
        )
        return None if row is None else Known(row["run_id"], row["digest"])

    def add(self, pipeline: str, repeat_key: str, known: Known, now: float) -> None:
        """Remember what a key has started, and forget what is too old to count."""
        with self._db.write() as tx:
            tx.execute("DELETE FROM triggers WHERE created_at <= ?", now - KEPT_S)
            tx.execute(
                "INSERT OR REPLACE INTO triggers VALUES (?, ?, ?, ?, ?)",
                *(pipeline, repeat_key, known.digest, known.run_id, now),
            )
