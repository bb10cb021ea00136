"""A data asset as its table gives it: what a workspace keeps of it, before it has a version."""

from pathlib import Path

from core.domain.data import DataAsset, Reading
from core.domain.errors import TableUnusable
from core.sources.find import Source
from core.sources.ingest import ingest


def ingested(found: Source, name: str, parquet: Path, reading: Reading, now: float) -> DataAsset:
    """The asset that a source becomes, its table at `parquet`. Raises SourceUnreadable, TableUnusable, StorageFull."""
    got = ingest(found, parquet, reading)
    if got.rows == 0:
        raise TableUnusable(f"The table '{found.origin}' has no rows", hint="Give a table with at least one row")
    return DataAsset(
        name=name,
        version=0,
        source=found.kind,
        origin=found.origin,
        rows=got.rows,
        columns=got.columns,
        sha256=got.sha256,
        size_bytes=got.size_bytes,
        created_at=now,
        notes=got.notes,
        reading=reading,
    )
