"""Failed runs that somebody has to be told of, until it is done."""

from dataclasses import dataclass

from core.local.store.db import Access

DUE_MAX = 100


@dataclass(frozen=True, slots=True)
class Notice:
    """A run to be told of, and how often that has failed."""

    run_id: str
    created_at: float
    tries: int


class Notices:
    """One row a failed run."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def add(self, run_id: str, now: float) -> None:
        """Tell of a run, as soon as somebody can."""
        with self._db.write() as tx:
            tx.execute("INSERT OR IGNORE INTO notices (run_id, created_at, next_at) VALUES (?, ?, ?)", run_id, now, now)

    def due(self, now: float, longest_s: float) -> tuple[Notice, ...]:
        """Those to be told now, oldest first; nobody waits longer than `longest_s`, also where a clock was set back."""
        sql = (
            "SELECT * FROM notices WHERE sent_at IS NULL AND (next_at <= ? OR next_at > ?) "
            "ORDER BY created_at, run_id LIMIT ?"
        )
        rows = self._db.rows(sql, now, now + longest_s, DUE_MAX)
        return tuple(Notice(row["run_id"], row["created_at"], row["tries"]) for row in rows)

    def put_off(self, run_id: str, until: float, error: str) -> None:
        """Nobody took it: try again then."""
        with self._db.write() as tx:
            tx.execute(
                "UPDATE notices SET tries = tries + 1, next_at = ?, error = ? WHERE run_id = ?", until, error, run_id
            )

    def close(self, run_id: str, now: float, error: str = "") -> None:
        """It was told, or with an `error` it never will be."""
        with self._db.write() as tx:
            tx.execute("UPDATE notices SET sent_at = ?, error = ? WHERE run_id = ?", now, error, run_id)
