"""Data assets: register, look at, trace."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from core.domain.data import DataAsset, DataRef, Lineage, TableProfile, TableSample
from core.domain.errors import SpecInvalid, TableUnusable
from core.local.durable import make_folder, place, storage_error, write_atomic
from core.local.paths import new_id
from core.local.verbs.base import LocalVerbs
from core.ml.profile import from_json, profile_table, to_json
from core.sources import ingest, resolve

log = logging.getLogger(__name__)


class DataVerbs(LocalVerbs):
    """The data asset verbs of `Workspace`."""

    announce: Callable[[str], None] = staticmethod(log.warning)
    """Where a sentence goes that people must see before something happens (a download)."""

    def register_data(self, name: str, source: str) -> DataAsset:
        found = resolve(source, self.settings, self.announce)
        name = name or found.name
        if not name.strip() or "/" in name or name.startswith("."):
            raise SpecInvalid(f"'{name}' is not a name for a data asset", hint="Letters, digits, dashes, dots")
        incoming = self._paths.incoming / new_id(self._clock)
        make_folder(incoming)
        try:
            got = ingest(found, incoming / "table.parquet")
            if got.rows == 0:
                raise TableUnusable(f"The table '{source}' has no rows", hint="Give a table with at least one row")
            if not self._paths.table(name, got.sha256).exists():
                write_atomic(incoming / "profile.json", _profile_bytes(incoming / "table.parquet"))
                place(incoming, self._paths.data(name, got.sha256))
            asset = DataAsset(
                name=name,
                version=0,
                source=found.kind,
                origin=found.origin,
                rows=got.rows,
                columns=got.columns,
                sha256=got.sha256,
                size_bytes=self._paths.table(name, got.sha256).stat().st_size,
                path=str(self._paths.table(name, got.sha256)),
                created_at=self._clock(),
            )
            return self._store.add_data(asset)
        except OSError as e:
            raise storage_error(e, f"register '{name}'") from e
        finally:
            shutil.rmtree(incoming, ignore_errors=True)

    def list_data(self) -> tuple[DataAsset, ...]:
        return self._store.list_data()

    def data(self, ref: DataRef) -> DataAsset:
        return self._store.data(ref)

    def profile(self, ref: DataRef, target: str = "") -> TableProfile:
        asset = self._store.data(ref)
        profile = from_json(msgspec.json.decode(self._paths.profile(asset.name, asset.sha256).read_bytes()))
        if not target:
            return profile
        profile.column(target)
        return profile_table(Path(asset.path), target)

    def sample(self, ref: DataRef, rows: int = 20) -> TableSample:
        asset = self._store.data(ref)
        with duckdb.connect() as db:
            found = db.execute("SELECT * FROM read_parquet(?) LIMIT ?", [asset.path, rows]).fetchall()
        return TableSample(asset.columns, tuple(tuple(_scalar(value) for value in row) for row in found))

    def lineage(self, ref: DataRef) -> Lineage:
        asset = self._store.data(ref)
        models = [m for m in self._store.list_models() if m.data == asset.ref]
        known = {(m.name, m.version) for m in models}
        return Lineage(
            data=asset.ref,
            jobs=tuple(job.id for job in self._store.list_jobs(limit=10_000) if _reads(job.spec, asset)),
            models=tuple(m.ref for m in models),
            deployments=tuple(
                f"{endpoint.name}/{d.name}"
                for endpoint in self._store.list_endpoints()
                for d in endpoint.deployments
                if (d.model, d.model_version) in known
            ),
        )


def _profile_bytes(table: Path) -> bytes:
    return msgspec.json.encode(to_json(profile_table(table)))


def _reads(spec: Any, asset: DataAsset) -> bool:
    return bool(spec.get("data") == {"name": asset.name, "version": asset.version})


def _scalar(value: Any) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
