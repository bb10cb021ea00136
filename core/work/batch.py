"""Every row of a table scored by one deployment of an endpoint, and the answers kept as a file.

Chunks are finished one by one, so a job that was killed goes on behind its last chunk. A row that the contract refuses
does not sink the others: it gets no prediction, and the reason.
"""

import csv
import io
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, NamedTuple, TextIO

import msgspec
import pyarrow.parquet as pq

from core.domain.batch import BatchResult
from core.domain.data import ColumnKind
from core.domain.endpoint import Deployment, Endpoint
from core.domain.errors import Conflict
from core.domain.proof import Target
from core.domain.signature import Signature
from core.durable import growing, write_atomic
from core.work.columns import check_columns
from core.work.scoring import Row, Scorer

CHUNK_ROWS = 1000
CHUNK_BYTES_MAX = 8_000_000
"""Half of what an endpoint takes by default; wide rows make smaller chunks."""
PREDICTION, PROBLEM = "prediction", "problem"


class Point(StrEnum):
    """Where a batch may be killed, and goes on all the same."""

    PINNED = "batch.pinned"
    CHUNK_WRITTEN = "batch.chunk-written"
    CHUNK_COUNTED = "batch.chunk-counted"
    JOINED = "batch.joined"
    KEPT = "batch.kept"
    SWEPT = "batch.swept"


Reach = Callable[[Point], None]
"""Told of each point as it is reached."""


class Table(NamedTuple):
    """What is to be scored: its name for people, and a Parquet file."""

    name: str
    path: Path
    columns: tuple[str, ...]
    rows: int

    @classmethod
    def of(cls, name: str, path: Path) -> "Table":
        """The table of a Parquet file."""
        with pq.ParquetFile(path) as file:
            return cls(name, path, tuple(file.schema_arrow.names), file.metadata.num_rows)


class Pin(msgspec.Struct):
    """The one deployment that scores all rows: by traffic, labels and probabilities could come from two models."""

    deployment: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch job is to do, in which folder, and by what."""

    folder: Path
    output: Path
    table: Table
    endpoint: Endpoint
    deployment: str
    """Empty: the one with most traffic."""
    signature: Callable[[Deployment], Signature]
    target: Callable[[Deployment], Target]
    tell: Callable[[str], None]


def nowhere(point: Point) -> None:
    """Nobody wants to know."""


def finished(folder: Path, score: Callable[[], BatchResult], reach: Reach = nowhere) -> BatchResult:
    """The result that is kept in a job's folder, or else that of `score`; its chunks are gone."""
    kept = folder / "result.json"
    if not kept.exists():
        write_atomic(kept, msgspec.json.encode(score()))
        reach(Point.KEPT)
    # Only now: whoever finds fewer chunks than there were must find the result too.
    _sweep(folder / "chunks", reach)
    return msgspec.json.decode(kept.read_bytes(), type=BatchResult)


def score_table(batch: Batch, reach: Reach = nowhere) -> BatchResult:
    """Write the output, going on from the chunks that are there.

    Raises TableUnusable, Conflict, ServiceUnavailable.
    """
    table = batch.table
    pinned = _pinned(batch, reach)
    signature = batch.signature(pinned)
    check_columns(signature, table.columns, table.name)
    chunks = batch.folder / "chunks"
    chunks.mkdir(exist_ok=True, mode=0o700)
    parts: list[Path] = []
    counts = {"rows": 0, "scored": 0, "refused": 0}
    with closing(Scorer(batch.target(pinned), signature, time.sleep)) as scorer:
        for number, rows in enumerate(_chunks(table.path)):
            parts.append(chunks / f"{number:06}.csv")
            done = _chunk(parts[-1], rows, table.columns, signature, scorer, reach)
            counts = {name: counts[name] + done[name] for name in counts}
            batch.tell(f"{counts['rows']:,} of {table.rows:,} rows, {counts['refused']:,} rejected")
    _join(parts, batch.output, _header(table.columns, signature))
    reach(Point.JOINED)
    return BatchResult(**counts, classes=signature.classes, deployment=pinned.name)


def _sweep(chunks: Path, reach: Reach) -> None:
    for file in sorted(chunks.iterdir()) if chunks.exists() else ():
        file.unlink()
        reach(Point.SWEPT)
    if chunks.exists():
        chunks.rmdir()


def _pinned(batch: Batch, reach: Reach) -> Deployment:
    """The deployment that scores every row, in every attempt: chosen once, then kept. Raises Conflict."""
    kept, name = batch.folder / "pin.json", batch.deployment
    if kept.exists():
        name = msgspec.json.decode(kept.read_bytes(), type=Pin).deployment
        return _chosen(batch.endpoint, name, f"no longer has deployment '{name}', which scored part of the table")
    otherwise = f"has no deployment '{name}'" if name else "has no deployment with traffic"
    chosen = _chosen(batch.endpoint, name, otherwise)
    write_atomic(kept, msgspec.json.encode(Pin(chosen.name)))
    reach(Point.PINNED)
    return chosen


def _chosen(endpoint: Endpoint, name: str, otherwise: str) -> Deployment:
    """The deployment that is asked for, else the one with most traffic. Raises Conflict that says `otherwise`."""
    if (found := endpoint.chosen(name)) is None:
        raise Conflict(f"Endpoint '{endpoint.name}' {otherwise}", hint="`endpoint get` lists its deployments")
    return found


def _chunks(table: Path) -> Iterator[list[Row]]:
    """The table's rows, in chunks of at most CHUNK_ROWS and about CHUNK_BYTES_MAX."""
    with pq.ParquetFile(table) as file:
        wide = file.metadata.num_columns * 40  # bytes of a cell in JSON, roughly
        for batch in file.iter_batches(batch_size=max(1, min(CHUNK_ROWS, CHUNK_BYTES_MAX // wide))):
            yield batch.to_pylist()


def _chunk(
    path: Path, rows: list[Row], columns: Sequence[str], signature: Signature, scorer: Scorer, reach: Reach
) -> dict[str, int]:
    """Score one chunk into the file `path`, unless that was done before; how many rows went which way."""
    told = path.with_suffix(".json")
    if told.exists() and path.exists():
        return dict(json.loads(told.read_text()))
    answers = scorer.answers([_sent(row, signature) for row in rows])
    with growing(path) as binary, _text(binary) as file:
        writer = csv.writer(file)
        for row, answer in zip(rows, answers, strict=True):
            chances = answer.chances or ("",) * len(signature.classes)
            writer.writerow([*(row[name] for name in columns), answer.label, *chances, answer.problem])
    reach(Point.CHUNK_WRITTEN)
    refused = sum(bool(answer.problem) for answer in answers)
    counts = {"rows": len(rows), "scored": len(rows) - refused, "refused": refused}
    write_atomic(told, json.dumps(counts).encode())
    reach(Point.CHUNK_COUNTED)
    return counts


@contextmanager
def _text(binary: IO[bytes]) -> Iterator[TextIO]:
    """A binary file to be written as text, left open at the end."""
    text = io.TextIOWrapper(binary, encoding="utf-8", newline="", write_through=True)
    yield text
    text.detach()


def _sent(row: Row, signature: Signature) -> Row:
    """The columns that the model reads, as JSON has them."""
    return {column.name: _json(row[column.name], column.kind) for column in signature.used if column.name in row}


def _json(value: Any, kind: ColumnKind) -> Any:
    if kind is ColumnKind.STRING and type(value) is int:
        return str(value)  # a table whose codes happen to have no leading zero
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, datetime | date) else value


def _header(columns: Sequence[str], signature: Signature) -> list[str]:
    """The file's columns: the table's own, then ours under names that the table has not."""
    taken = set(columns)

    def free(name: str) -> str:
        while name in taken:
            name += "_"
        taken.add(name)
        return name

    chances = [free(f"probability_{label}") for label in signature.classes]
    return [*columns, free(PREDICTION), *chances, free(PROBLEM)]


def _join(parts: Sequence[Path], output: Path, header: Sequence[str]) -> None:
    """One file of all chunks; it is there as a whole, on the disk, or not at all."""
    for left in output.parent.glob(f".{output.name}.*"):  # half of it, by an attempt that was killed
        left.unlink()
    with growing(output) as file:
        with _text(file) as text:
            csv.writer(text).writerow(header)
        for part in parts:
            with part.open("rb") as chunk:
                shutil.copyfileobj(chunk, file)
