"""Data assets: register, look at, trace."""

import os
from contextlib import AbstractContextManager
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import msgspec

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
from core.domain.errors import Conflict, SourceUnreadable
from core.domain.job import JobState
from core.domain.rules import check_limit
from core.local import tables
from core.local.context import Context
from core.local.deleted import files, sweep
from core.local.machine.failpoints import Failpoint, reach
from core.local.store import Nouns
from core.ml.data.profile import from_json, profile_table
from core.ml.data.sql_paths import AS_IT_STANDS, only
from core.sources import Source, again, asset_name, available, resolve
from core.sources.asset import ingested
from core.sources.incoming import own_name, receive, uploaded
from core.workspace.data import DataAssets

SOURCE = "source"
SHOWN_USERS = 10


class LocalData(DataAssets):
    """Tables in the workspace's folder, each version with its profile beside it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def register(self, name: str, source: str, reading: Reading = AS_FOUND) -> DataAsset:
        context = self._context
        found = resolve(source, context.settings, context.announce, confined=context.confined)
        with self._incoming(name or found.name) as incoming:
            return self._registered(found, name or found.name, incoming, reading)

    def upload(self, name: str, filename: str, stream: BinaryIO, reading: Reading = AS_FOUND) -> DataAsset:
        filename = own_name(filename)
        name = name or asset_name(Path(filename))
        with self._incoming(name) as incoming:
            path = incoming / SOURCE
            receive(stream, path, filename, self._context.settings)
            return self._registered(uploaded(filename, name, path, self._context.settings), name, incoming, reading)

    def read_again(self, ref: DataRef, reading: Reading) -> DataAsset:
        asset, context = self.get(ref), self._context
        if asset.source is not DataSource.UPLOAD:
            found = again(asset.source, asset.origin, context.settings, confined=context.confined)
            with self._incoming(asset.name) as incoming:
                return self._registered(found, asset.name, incoming, reading)
        kept = context.paths.source(asset.name, asset.content_id)
        with self._incoming(asset.name) as incoming:
            try:
                os.link(kept, incoming / SOURCE)
            except FileNotFoundError as e:
                raise SourceUnreadable(
                    f"The file '{asset.origin}' is not kept here any more", hint="Upload it again"
                ) from e
            found = uploaded(asset.origin, asset.name, incoming / SOURCE, context.settings)
            return self._registered(found, asset.name, incoming, reading)

    def available(self) -> tuple[AvailableTable, ...]:
        return available(self._context.settings)

    def _incoming(self, name: str) -> AbstractContextManager[Path]:
        return tables.incoming(self._context.paths, name, self._context.clock)

    def _registered(self, found: Source, name: str, incoming: Path, reading: Reading) -> DataAsset:
        asset = ingested(found, name, incoming / tables.TABLE, reading, self._context.clock())
        return tables.published(self._context.store, self._context.paths, asset, incoming)

    def delete(self, ref: DataRef, *, all_versions: bool = False) -> tuple[DataRef, ...]:
        with self._context.store.write() as tx:
            asset = tx.data.get(ref)
            gone = [a for a in tx.data.list() if a.name == asset.name] if all_versions else [asset]
            if users := [f"{each} ({user})" for each in map(attrgetter("ref"), gone) for user in _users(tx, each)]:
                more = f" and {len(users) - SHOWN_USERS} more" if len(users) > SHOWN_USERS else ""
                raise Conflict(
                    f"{asset.name if all_versions else asset.ref} is in use: {', '.join(users[:SHOWN_USERS])}{more}",
                    hint="What was trained on a table, or scored it, keeps it; other versions may be deleted",
                )
            for each in gone:
                tx.data.delete(each)
        reach(Failpoint.DATA_DELETED)
        sweep(self._context.store, self._context.paths, self._context.clock)
        return tuple(each.ref for each in gone)

    def list(self) -> tuple[DataAsset, ...]:
        return self._context.store.data.list()

    def get(self, ref: DataRef) -> DataAsset:
        return self._context.store.data.get(ref)

    def profile(self, ref: DataRef, target: str = "") -> TableProfile:
        with files(self._context.store, ref) as asset:
            kept = self._context.paths.profile(asset.name, asset.content_id).read_bytes()
            profile = from_json(msgspec.json.decode(kept))
            if not target:
                return profile
            target = asset.named(target)
            profile.column(target)
            return profile_table(self._context.paths.table(asset.name, asset.content_id), target)

    def sample(self, ref: DataRef, rows: int = 20) -> TableSample:
        with files(self._context.store, ref) as asset, duckdb.connect() as db:
            table = f"read_parquet({only(self._context.paths.table(asset.name, asset.content_id))}, {AS_IT_STANDS})"
            found = db.execute(f"SELECT * FROM {table} LIMIT {check_limit(rows)}").fetchall()  # noqa: S608 - a quoted path
        return TableSample(asset.columns, tuple(tuple(_scalar(value) for value in row) for row in found))

    def lineage(self, ref: DataRef) -> Lineage:
        return _lineage(self._context.store, self._context.store.data.get(ref).ref)


def _lineage(store: Nouns, ref: DataRef) -> Lineage:
    models = [m for m in store.models.list() if m.data == ref]
    known = {(m.name, m.version) for m in models}
    return Lineage(
        data=ref,
        jobs=tuple(job.id for job in store.jobs.list(limit=0, data=ref)),
        models=tuple(m.ref for m in models),
        deployments=tuple(
            f"{endpoint.name}/{d.name}"
            for endpoint in store.endpoints.list()
            for d in endpoint.deployments
            if (d.model, d.model_version) in known
        ),
    )


def _users(store: Nouns, ref: DataRef) -> list[str]:
    """What needs a version, by kind: also a pipeline's run that has prepared it and has not trained on it yet."""
    found = _lineage(store, ref)
    runs = [
        job.id
        for job in store.jobs.in_states(*(state for state in JobState if not state.final))
        for step in store.runs.steps(job.id)
        if str(ref) in step.outputs.values()
    ]
    return [
        *(f"deployment {name}" for name in found.deployments),
        *(f"model {name}" for name in found.models),
        *(f"job {job_id}" for job_id in found.jobs),
        *(f"run {job_id}" for job_id in runs),
    ]


def _scalar(value: Any) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
