"""A table of any bytes, read as the product reads it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from core.domain.data import AS_FOUND, DataSource, Note, NoteKind, Reading
from core.sources import Source, ingest


class ReadTable:
    """What became of a file: its columns with their values, and what was said of them."""

    def __init__(self, columns: dict[str, list[Any]], types: dict[str, str], notes: tuple[Note, ...]) -> None:
        self.columns, self.types, self.notes = columns, types, notes

    def said(self, kind: NoteKind) -> str:
        """The sentences of one kind."""
        return " ".join(note.text for note in self.notes if note.kind is kind)


@pytest.fixture
def reads(tmp_path: Path) -> Callable[..., ReadTable]:
    """Write these bytes to a file and read it."""

    def reads(content: bytes | str, reading: Reading = AS_FOUND, name: str = "t.csv") -> ReadTable:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        got = ingest(Source(DataSource.FILE, str(path), "t", path), tmp_path / "out" / "t.parquet", reading)
        stored = pq.read_table(tmp_path / "out" / "t.parquet")
        return ReadTable(stored.to_pydict(), {f.name: str(f.type) for f in stored.schema}, got.notes)

    return reads
