"""Data assets."""

from dataclasses import replace

from core.domain.data import DataAsset, DataRef
from core.domain.errors import DataNotFound
from core.local.store.bodies import decode, encode
from core.local.store.db import Access, Row


class Data:
    """Registered tables by name and version."""

    def __init__(self, db: Access) -> None:
        self._db = db

    def add(self, asset: DataAsset) -> DataAsset:
        """Keep an asset under the next version of its name; the same table gives the version that exists."""
        with self._db.write() as tx:
            # The column holds what the table is: its bytes' SHA-256, and another where more was done to them.
            same = tx.row("SELECT * FROM data WHERE name = ? AND sha256 = ?", asset.name, asset.content_id)
            if same is not None:
                return _asset(same)
            newest = tx.rows("SELECT coalesce(max(version), 0) AS version FROM data WHERE name = ?", asset.name)
            asset = replace(asset, version=newest[0]["version"] + 1)
            values = (asset.name, asset.version, asset.content_id, encode(asset), asset.created_at)
            tx.execute("INSERT INTO data VALUES (?, ?, ?, ?, ?)", *values)
            return asset

    def get(self, ref: DataRef) -> DataAsset:
        """One version, 0 for the newest. Raises DataNotFound."""
        newest = "SELECT * FROM data WHERE name = ? AND (version = ? OR ? = 0) ORDER BY version DESC LIMIT 1"
        row = self._db.row(newest, ref.name, ref.version, ref.version)
        if row is None:
            known = self._db.rows("SELECT DISTINCT name FROM data ORDER BY name")
            names = ", ".join(known["name"] for known in known) or "none yet"
            raise DataNotFound(f"There is no data asset '{ref}'", hint=f"Registered: {names}")
        return _asset(row)

    def list(self) -> tuple[DataAsset, ...]:
        """All versions, newest first."""
        return tuple(map(_asset, self._db.rows("SELECT * FROM data ORDER BY created_at DESC, version DESC")))


def _asset(row: Row) -> DataAsset:
    return decode(row["body"], DataAsset, f"data asset '{row['name']}:{row['version']}'")
