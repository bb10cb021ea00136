"""How far each column of an endpoint may move before it is said to have drifted, where somebody has chosen."""

from collections.abc import Mapping

from core.local.store.db import Access
from core.local.store.endpoint_rows import changeable


class DriftLimits:
    """Limits of the population stability index, by endpoint and column; the score's is under the empty name."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def of(self, endpoint: str) -> Mapping[str, float]:
        """Those that were set."""
        rows = self._db.rows("SELECT column_name, psi FROM drift_limits WHERE endpoint = ?", endpoint)
        return {row["column_name"]: row["psi"] for row in rows}

    def set(self, endpoint: str, column: str, psi: float | None) -> None:
        """Keep a limit; None forgets it. Raises EndpointNotFound, Conflict while the endpoint is being deleted."""
        with self._db.write() as tx:
            changeable(tx, endpoint)
            tx.execute("DELETE FROM drift_limits WHERE endpoint = ? AND column_name = ?", endpoint, column)
            if psi is not None:
                tx.execute("INSERT INTO drift_limits VALUES (?, ?, ?)", endpoint, column, psi)

    def drop(self, endpoint: str) -> None:
        """Forget all of an endpoint."""
        with self._db.write() as tx:
            tx.execute("DELETE FROM drift_limits WHERE endpoint = ?", endpoint)
