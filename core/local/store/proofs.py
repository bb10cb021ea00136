"""Gate reports and load reports."""

from core.domain.proof import GateReport, LoadReport
from core.local.store.bodies import decode, encode
from core.local.store.db import Access


class Proofs:
    """What was proven and measured of endpoints."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def add_gate_report(self, report: GateReport) -> None:
        """Keep a report."""
        values = (report.id, report.endpoint, report.deployment, encode(report), report.created_at)
        with self._db.write() as tx:
            tx.execute("INSERT INTO gate_reports VALUES (?, ?, ?, ?, ?)", *values)

    def gate_reports(self, endpoint: str = "", deployment: str = "", limit: int = 50) -> tuple[GateReport, ...]:
        """Newest first, of one endpoint, one deployment or all."""
        rows = self._db.rows(
            "SELECT * FROM gate_reports WHERE (endpoint = ? OR ? = '') AND (deployment = ? OR ? = '') "
            "ORDER BY created_at DESC LIMIT ?",
            *(endpoint, endpoint, deployment, deployment, limit),
        )
        return tuple(decode(row["body"], GateReport, f"gate report '{row['id']}'") for row in rows)

    def add_load_report(self, report: LoadReport) -> None:
        """Keep a report; one with its id is replaced."""
        values = (report.id, encode(report), report.created_at, report.endpoint)
        with self._db.write() as tx:
            tx.execute("INSERT OR REPLACE INTO load_reports VALUES (?, ?, ?, ?)", *values)

    def load_reports(self, limit: int = 50, *, endpoint: str = "") -> tuple[LoadReport, ...]:
        """Newest first, of one endpoint or of all."""
        of_one = "SELECT * FROM load_reports WHERE endpoint = ? ORDER BY created_at DESC LIMIT ?"
        of_all = "SELECT * FROM load_reports ORDER BY created_at DESC LIMIT ?"
        rows = self._db.rows(of_one, endpoint, limit) if endpoint else self._db.rows(of_all, limit)
        return tuple(decode(row["body"], LoadReport, f"load report '{row['id']}'") for row in rows)
