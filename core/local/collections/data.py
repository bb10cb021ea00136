"""Data assets: register, look at, trace."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from core.domain.data import AS_FOUND, DataAsset, DataRef, Lineage, Reading, TableProfile, TableSample
from core.domain.errors import TableUnusable
from core.domain.names import check_name
from core.domain.rules import check_limit
from core.local.context import Context
from core.local.machine.durable import make_folder, place, storage_error, write_atomic
from core.local.paths import new_id
from core.ml.data.profile import from_json, profile_table, to_json
from core.ml.data.spellings import spelling_notes
from core.ml.data.sql_paths import AS_IT_STANDS, only
from core.sources import ingest, resolve
from core.workspace.data import DataAssets


class LocalData(DataAssets):
    """Tables in the workspace's folder, each version with its profile beside it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def register(self, name: str, source: str, reading: Reading = AS_FOUND) -> DataAsset:
        found = resolve(source, self._context.settings, self._context.announce)
        name = name or found.name
        check_name("a data asset", name)
        incoming = self._context.paths.incoming / new_id(self._context.clock)
        try:
            make_folder(incoming)
            got = ingest(found, incoming / "table.parquet", reading)
            if got.rows == 0:
                raise TableUnusable(f"The table '{source}' has no rows", hint="Give a table with at least one row")
            asset = DataAsset(
                name=name,
                version=0,
                source=found.kind,
                origin=found.origin,
                rows=got.rows,
                columns=got.columns,
                sha256=got.sha256,
                size_bytes=got.size_bytes,
                created_at=self._context.clock(),
                notes=got.notes,
                reading=reading,
            )
            return self._context.store.data.add(self._published(asset, incoming))
        except OSError as e:
            raise storage_error(e, f"register '{name}'") from e
        finally:
            shutil.rmtree(incoming, ignore_errors=True)

    def _published(self, asset: DataAsset, incoming: Path) -> DataAsset:
        """The asset with its table and profile in place, and notes on what somebody should decide by the profile."""
        table = self._context.paths.table(asset.name, asset.content_id)
        profile = self._context.paths.profile(asset.name, asset.content_id)
        if not table.exists():
            write_atomic(incoming / "profile.json", _profile_bytes(incoming / "table.parquet"))
            place(incoming, table.parent)
        notes = spelling_notes(from_json(msgspec.json.decode(profile.read_bytes())))
        return replace(asset, size_bytes=table.stat().st_size, notes=(*asset.notes, *notes))

    def list(self) -> tuple[DataAsset, ...]:
        return self._context.store.data.list()

    def get(self, ref: DataRef) -> DataAsset:
        return self._context.store.data.get(ref)

    def profile(self, ref: DataRef, target: str = "") -> TableProfile:
        asset = self._context.store.data.get(ref)
        profile = from_json(msgspec.json.decode(self._context.paths.profile(asset.name, asset.content_id).read_bytes()))
        if not target:
            return profile
        target = asset.named(target)
        profile.column(target)
        return profile_table(self._context.paths.table(asset.name, asset.content_id), target)

    def sample(self, ref: DataRef, rows: int = 20) -> TableSample:
        asset = self._context.store.data.get(ref)
        table = f"read_parquet({only(self._context.paths.table(asset.name, asset.content_id))}, {AS_IT_STANDS})"
        with duckdb.connect() as db:
            found = db.execute(f"SELECT * FROM {table} LIMIT {check_limit(rows)}").fetchall()  # noqa: S608 - a quoted path
        return TableSample(asset.columns, tuple(tuple(_scalar(value) for value in row) for row in found))

    def lineage(self, ref: DataRef) -> Lineage:
        asset = self._context.store.data.get(ref)
        models = [m for m in self._context.store.models.list() if m.data == asset.ref]
        known = {(m.name, m.version) for m in models}
        return Lineage(
            data=asset.ref,
            jobs=tuple(job.id for job in self._context.store.jobs.list(limit=0, data=asset.ref)),
            models=tuple(m.ref for m in models),
            deployments=tuple(
                f"{endpoint.name}/{d.name}"
                for endpoint in self._context.store.endpoints.list()
                for d in endpoint.deployments
                if (d.model, d.model_version) in known
            ),
        )


def _profile_bytes(table: Path) -> bytes:
    return msgspec.json.encode(to_json(profile_table(table)))


def _scalar(value: Any) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
