"""Failed runs that somebody has to be told of, until it is done."""

from core.local.store.db import Access


class Notices:
    """One row a failed run."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def add(self, run_id: str, now: float) -> None:
        """Tell of a run, as soon as somebody can."""
        with self._db.write() as tx:
            tx.execute("INSERT OR IGNORE INTO notices (run_id, created_at, next_at) VALUES (?, ?, ?)", run_id, now, now)
