"""Data assets."""

from dataclasses import replace

from core.domain.data import DataAsset, DataRef
from core.domain.errors import DataNotFound
from core.local.store.bodies import decode, encode
from core.local.store.db import Access, Row
from core.local.store.facts import Facts

DELETED = "data.deleted "
"""What the facts' keys begin with that name deleted versions with files."""


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
            gone = int(Facts(tx).get(_newest(asset.name)) or 0)
            asset = replace(asset, version=max(newest[0]["version"], gone) + 1)
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

    def holds(self, name: str, content_id: str) -> bool:
        """Whether a version of the name is this table."""
        return self._db.row("SELECT 1 FROM data WHERE name = ? AND sha256 = ?", name, content_id) is not None

    def delete(self, asset: DataAsset) -> None:
        """Forget a version, but for its number and that its files are to go."""
        with self._db.write() as tx:
            facts = Facts(tx)
            facts.set(_newest(asset.name), str(max(asset.version, int(facts.get(_newest(asset.name)) or 0))))
            facts.set(f"{DELETED}{asset.content_id} {asset.name}", str(asset.version))
            tx.execute("DELETE FROM data WHERE name = ? AND version = ?", asset.name, asset.version)

    def deleted(self) -> tuple[tuple[str, str], ...]:
        """Name and content id of deleted versions whose files may be there still."""
        rows = self._db.rows("SELECT key FROM facts WHERE substr(key, 1, ?) = ?", len(DELETED), DELETED)
        keys = [row["key"].removeprefix(DELETED).partition(" ") for row in rows]
        return tuple((name, content_id) for content_id, _, name in keys)

    def swept(self, name: str, content_id: str) -> None:
        """Its files are gone, or another row's by now."""
        with self._db.write() as tx:
            tx.execute("DELETE FROM facts WHERE key = ?", f"{DELETED}{content_id} {name}")

    def list(self) -> tuple[DataAsset, ...]:
        """All versions, newest first."""
        return tuple(map(_asset, self._db.rows("SELECT * FROM data ORDER BY created_at DESC, version DESC")))


def _newest(name: str) -> str:
    """The key of the highest version of a name that was ever deleted: a number means one table for ever."""
    return f"data.newest {name}"


def _asset(row: Row) -> DataAsset:
    return decode(row["body"], DataAsset, f"data asset '{row['name']}:{row['version']}'")
