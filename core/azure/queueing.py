"""Batches and loads as they are when they are queued: what is asked for was looked at, and the table lies ready."""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from core.azure.context import Context
from core.azure.packing import signature_of
from core.azure.tables import Tables
from core.domain.batch import BatchSpec
from core.domain.data import ColumnKind, DataRef
from core.domain.errors import SpecInvalid
from core.domain.job import Job
from core.domain.proof import LoadSpec
from core.domain.signature import Signature
from core.sources import Source, ingest, resolve
from core.sources.incoming import own_name, receive, uploaded
from core.work.columns import check_columns
from core.workspace.endpoints import Endpoints
from core.workspace.models import Models

TABLE = "table.parquet"
log = logging.getLogger(__name__)


class Queueing:
    """What a batch or a load needs to know of the workspace before it is queued."""

    def __init__(self, context: Context, tables: Tables, models: Models, endpoints: Endpoints) -> None:
        self._context, self._tables, self._models, self._endpoints = context, tables, models, endpoints

    def load(self, spec: LoadSpec, parent_id: str = "") -> Job:
        """The key is not kept: the job asks Azure for it. Raises SpecInvalid for somebody else's server."""
        endpoint = next((each for each in self._endpoints.list() if each.listens_at(spec.target.url)), None)
        if endpoint is None:
            raise SpecInvalid(
                f"No endpoint of this workspace has the address {spec.target.url}",
                hint="To load-test another server, run `python -m core loadtest URL`",
            )
        target = replace(spec.target, url=endpoint.scoring_uri.removesuffix("/score"))
        spec = replace(spec, target=target, endpoint=endpoint.name).keyless
        return self._context.here.add(spec, "loadtest", parent_id=parent_id)

    def batch(self, spec: BatchSpec, parent_id: str = "") -> Job:
        """Raises DataNotFound, EndpointNotFound, SourceUnreadable, TableUnusable."""
        signature = self._signature(spec)
        if spec.source:
            found = resolve(spec.source, self._context.settings, log.warning, confined=self._context.confined)
            return self._of_source(replace(spec, source=found.origin), found, signature, parent_id)
        held = self._tables.find(DataRef(spec.data, spec.data_version))
        asset = self._tables.read(held)
        _check(signature, asset.columns, asset.name)
        spec = replace(spec, data_version=asset.version)
        table = self._tables.table(held)
        return self._add(spec, table, parent_id)

    def batch_of_file(self, spec: BatchSpec, stream: BinaryIO) -> Job:
        """Raises as `batch`, and PayloadTooLarge."""
        name, settings = own_name(spec.source), self._context.settings
        signature = self._signature(spec)
        with TemporaryDirectory(dir=self._context.folder, prefix=".incoming-") as folder:
            path = Path(folder) / "source"
            receive(stream, path, name, settings)
            return self._of_source(replace(spec, source=name), uploaded(name, name, path, settings), signature, "")

    def _of_source(self, spec: BatchSpec, found: Source, signature: Signature | None, parent_id: str) -> Job:
        texts = frozenset(c.name for c in signature.used if c.kind is ColumnKind.STRING) if signature else frozenset()
        with TemporaryDirectory(dir=self._context.folder, prefix=".incoming-") as folder:
            table = Path(folder) / TABLE
            got = ingest(found, table, texts=texts)
            _check(signature, got.columns, Path(found.origin).name)
            return self._add(spec, table, parent_id)

    def _add(self, spec: BatchSpec, table: Path, parent_id: str) -> Job:
        return self._context.here.add(
            spec, spec.experiment_name, parent_id=parent_id,
            prepare=lambda folder: _copy(table, folder / TABLE),
        )  # fmt: skip

    def _signature(self, spec: BatchSpec) -> Signature | None:
        """What the deployment reads that will most likely score; None where none has traffic yet."""
        found = self._endpoints.get(spec.endpoint).chosen(spec.deployment)
        if found is None:
            return None
        return signature_of(self._context, self._models, found.model, found.model_version)


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def _check(signature: Signature | None, columns: Sequence[str], name: str) -> None:
    if signature is not None:
        check_columns(signature, columns, name)
