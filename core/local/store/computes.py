"""Computes."""

from core.domain.compute import Compute
from core.local.store.bodies import decode, encode
from core.local.store.db import Access


class Computes:
    """Named limits on this machine."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def put(self, compute: Compute) -> None:
        """Keep a compute; one of its name is replaced."""
        kept = "INSERT INTO computes VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
        with self._db.write() as tx:
            tx.execute(kept, compute.name, encode(compute))

    def settle(self, compute: Compute) -> None:
        """Create a compute where there is none of its name; one that somebody has made stays as it is."""
        with self._db.write() as tx:
            tx.execute("INSERT INTO computes VALUES (?, ?) ON CONFLICT DO NOTHING", compute.name, encode(compute))

    def list(self) -> tuple[Compute, ...]:
        """All of them, by name."""
        rows = self._db.rows("SELECT * FROM computes ORDER BY name")
        return tuple(decode(row["body"], Compute, f"compute '{row['name']}'") for row in rows)
