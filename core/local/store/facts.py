"""Facts that a workspace remembers by name, and its audit trail."""

from core.local.store.db import Access


class Facts:
    """Small values by key: the service's address, the secrets that others are made of."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def get(self, key: str) -> str:
        """A remembered value, or the empty string."""
        row = self._db.row("SELECT value FROM facts WHERE key = ?", key)
        return str(row["value"]) if row else ""

    def set(self, key: str, value: str) -> None:
        """Remember a value; what was remembered under its key is replaced."""
        with self._db.write() as tx:
            tx.execute("INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", key, value)

    def settle(self, key: str, value: str) -> str:
        """The remembered value; `value`, remembered from now on, where there was none."""
        with self._db.write() as tx:
            tx.execute("INSERT INTO facts VALUES (?, ?) ON CONFLICT DO NOTHING", key, value)
        return self.get(key)


class Audit:
    """Who did what that somebody may ask for later."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def add(self, at: float, who: str, what: str) -> None:
        """Add an entry to the trail."""
        with self._db.write() as tx:
            tx.execute("INSERT INTO audit VALUES (?, ?, ?)", at, who, what)

    def list(self, limit: int = 100) -> tuple[tuple[float, str, str], ...]:
        """When, who and what, newest first."""
        rows = self._db.rows("SELECT * FROM audit ORDER BY at DESC LIMIT ?", limit)
        return tuple((row["at"], row["who"], row["what"]) for row in rows)
