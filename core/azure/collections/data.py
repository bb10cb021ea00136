"""The verbs of `data` on Azure ML."""

import logging
import os
import shutil
from collections.abc import Iterator, MutableSequence, Sequence
from contextlib import contextmanager
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import duckdb

from core.azure import sdk
from core.azure.context import TAG, Context
from core.azure.names import asset_name as azure_name
from core.azure.names import named
from core.azure.specs import reads
from core.azure.storage import uploading
from core.azure.tables import SOURCE, TABLE, Tables, profiled
from core.azure.translate import about_table
from core.domain.data import (
    AS_FOUND,
    AvailableTable,
    DataAsset,
    DataRef,
    DataSource,
    Lineage,
    Reading,
    TableProfile,
    TableSample,
)
from core.domain.errors import Conflict
from core.domain.names import check_name
from core.domain.rules import check_limit
from core.domain.version import VERSION
from core.ml.data.profile import profile_table
from core.ml.data.spellings import spelling_notes
from core.ml.data.sql_paths import AS_IT_STANDS, only
from core.sources import Source, again, asset_name, available, resolve
from core.sources.asset import ingested
from core.sources.incoming import own_name, receive, uploaded
from core.workspace.collection import Collection
from core.workspace.data import DataAssets
from core.workspace.endpoints import Endpoints
from core.workspace.jobs import Jobs
from core.workspace.models import Models

log = logging.getLogger(__name__)
MLTABLE = """\
type: mltable
paths:
  - file: ./table.parquet
transformations:
  - read_parquet:
      include_path_column: false
"""
"""AutoML reads what an MLTable says and nothing else; the file is written here, not by the package of that name."""
SHOWN_USERS = 10
ALL_JOBS = 1_000_000


class AzureData(DataAssets):
    """Data assets of type MLTable: a Parquet file, and what it was made of in the asset's properties.

    A deleted version is archived: Azure deletes no data asset, and so it gives its number to no other.
    """

    def __init__(self, context: Context, tables: Tables, jobs: Jobs, models: Models, endpoints: Endpoints) -> None:
        self._context, self._tables = context, tables
        self._jobs, self._models, self._endpoints = jobs, models, endpoints

    def register(self, name: str, source: str, reading: Reading = AS_FOUND) -> DataAsset:
        context = self._context
        found = resolve(source, context.settings, log.warning, confined=context.confined)
        with self._incoming(name or found.name) as folder:
            return self._registered(found, name or found.name, folder, reading)

    def upload(self, name: str, filename: str, stream: BinaryIO, reading: Reading = AS_FOUND) -> DataAsset:
        filename = own_name(filename)
        name = name or asset_name(Path(filename))
        with self._incoming(name) as folder:
            path = folder / SOURCE
            receive(stream, path, filename, self._context.settings)
            return self._registered(uploaded(filename, name, path, self._context.settings), name, folder, reading)

    def read_again(self, ref: DataRef, reading: Reading) -> DataAsset:
        held, context = self._tables.find(ref), self._context
        asset = held.asset
        with self._incoming(asset.name) as folder:
            if asset.source is DataSource.UPLOAD:
                shutil.copyfile(self._tables.source(held), folder / SOURCE)
                found = uploaded(asset.origin, asset.name, folder / SOURCE, context.settings)
            else:
                found = again(asset.source, asset.origin, context.settings, confined=context.confined)
            return self._registered(found, asset.name, folder, reading)

    def available(self) -> tuple[AvailableTable, ...]:
        return available(self._context.settings)

    @contextmanager
    def _incoming(self, name: str) -> Iterator[Path]:
        """A folder for what becomes a version of `name`; nothing stays in it. Raises SpecInvalid."""
        check_name("a data asset", name)
        with TemporaryDirectory(dir=self._context.folder, prefix=".incoming-") as parent:
            folder = Path(parent) / "table"
            folder.mkdir()
            yield folder

    def _registered(self, found: Source, name: str, folder: Path, reading: Reading) -> DataAsset:
        asset = ingested(found, name, folder / TABLE, reading, self._context.clock())
        local = folder.parent / "local"
        local.mkdir()
        os.link(folder / TABLE, local / TABLE)
        asset = replace(asset, notes=(*asset.notes, *spelling_notes(profiled(local / TABLE))))
        known = (held.asset for held in self._tables.versions(name) if held.asset.content_id == asset.content_id)
        if same := next(known, None):
            return same
        (folder / "MLTable").write_text(MLTABLE)
        held = self._tables.held(self._created(asset, folder))
        assert held is not None
        self._tables.keep(held, local)
        return held.asset

    def _created(self, asset: DataAsset, folder: Path) -> Any:
        """The next version, as Azure gives it back; a second go where somebody took the number meanwhile."""
        made = sdk.module("azure.ai.ml.entities").Data
        sent = {
            "name": azure_name(asset.name),
            "path": str(folder),
            "type": "mltable",
            "description": f"{asset.rows:,} rows, {len(asset.columns)} columns, from {asset.origin}",
            "tags": {TAG: VERSION, f"{TAG}.content": asset.content_id, **named(asset.name)},
            "properties": about_table(asset),
        }
        for last in (False, False, True):
            try:
                with uploading(asset.name), self._context.asking("data", asset.name) as client:
                    return client.data.create_or_update(made(**sent))
            except Conflict:
                if last:
                    raise
        raise AssertionError

    def delete(self, ref: DataRef, *, all_versions: bool = False) -> tuple[DataRef, ...]:
        asset = self._tables.find(ref).asset
        gone = [held.asset for held in self._tables.versions(asset.name)] if all_versions else [asset]
        users = [f"{each.ref} ({user})" for each, found in zip(gone, self._traced(gone), strict=True)
                 for user in _users(found)]  # fmt: skip
        if users:
            more = f" and {len(users) - SHOWN_USERS} more" if len(users) > SHOWN_USERS else ""
            raise Conflict(
                f"{asset.name if all_versions else asset.ref} is in use: {', '.join(users[:SHOWN_USERS])}{more}",
                hint="What was trained on a table, or scored it, keeps it; other versions may be deleted",
            )
        for each in gone:
            with self._context.asking("data", str(each.ref)) as client:
                client.data.archive(azure_name(each.name), str(each.version))
        return tuple(each.ref for each in gone)

    def list(self) -> tuple[DataAsset, ...]:
        return tuple(held.asset for held in self._tables.all())

    def get(self, ref: DataRef) -> DataAsset:
        return self._tables.find(ref).asset

    def profile(self, ref: DataRef, target: str = "") -> TableProfile:
        held = self._tables.find(ref)
        profile = self._tables.profile(held)
        if not target:
            return profile
        target = self._tables.read(held).named(target)
        profile.column(target)
        return profile_table(self._tables.table(held), target)

    def sample(self, ref: DataRef, rows: int = 20) -> TableSample:
        held = self._tables.find(ref)
        with duckdb.connect() as db:
            table = f"read_parquet({only(self._tables.table(held))}, {AS_IT_STANDS})"
            found = db.execute(f"SELECT * FROM {table} LIMIT {check_limit(rows)}").fetchall()  # noqa: S608 - a quoted path
        columns = self._tables.read(held).columns
        return TableSample(columns, tuple(tuple(_scalar(value) for value in row) for row in found))

    def lineage(self, ref: DataRef) -> Lineage:
        return self._traced([self._tables.find(ref).asset])[0]

    def _traced(self, assets: Sequence[DataAsset]) -> Sequence[Lineage]:
        """What came of each, found in one pass over jobs, models and endpoints."""
        jobs = self._jobs.list(limit=ALL_JOBS) if _can(self._jobs) else ()
        models = self._models.list() if _can(self._models) else ()
        endpoints = self._endpoints.list() if models and _can(self._endpoints) else ()
        found: MutableSequence[Lineage] = []
        for ref in map(attrgetter("ref"), assets):
            made = {(m.name, m.version): m.ref for m in models if m.data == ref}
            deployments = (
                f"{e.name}/{d.name}" for e in endpoints for d in e.deployments if (d.model, d.model_version) in made
            )
            users = tuple(job.id for job in jobs if reads(job.spec) == ref)
            found.append(Lineage(ref, users, tuple(made.values()), tuple(deployments)))
        return found


def _can(collection: Collection) -> bool:
    return f"{collection.noun}.list" in collection.capabilities()


def _users(found: Lineage) -> Iterator[str]:
    """What needs a version, by kind."""
    yield from (f"deployment {name}" for name in found.deployments)
    yield from (f"model {name}" for name in found.models)
    yield from (f"job {job_id}" for job_id in found.jobs)


def _scalar(value: Any) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
