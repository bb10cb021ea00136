"""The batch job: every row of a table scored through the endpoint's own route, and the answers kept as a file.

Chunks are finished one by one, so a job that was killed goes on behind its last chunk. A row that the contract refuses
does not sink the others: it gets no prediction, and the reason.
"""

import csv
import io
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, NamedTuple, TextIO

import msgspec
import pyarrow.parquet as pq

from core.domain.batch import BatchResult, BatchSpec
from core.domain.data import ColumnKind, DataRef
from core.domain.endpoint import DEPLOYMENT_HEADER, Deployment, Endpoint
from core.domain.errors import Conflict
from core.domain.monitoring import Origin
from core.domain.proof import Target
from core.domain.signature import Signature
from core.durable import growing, write_atomic
from core.local import origins
from core.local.columns import check_columns
from core.local.machine.failpoints import Failpoint, reach
from core.local.worker.scoring import Row, Scorer
from core.local.worker.work import Work

CHUNK_ROWS = 1000
CHUNK_BYTES_MAX = 8_000_000
"""Half of what an endpoint takes by default; wide rows make smaller chunks."""
PREDICTION, PROBLEM = "prediction", "problem"


class Table(NamedTuple):
    """What is to be scored: its name for people, and a Parquet file."""

    name: str
    path: Path
    columns: tuple[str, ...]
    rows: int


class Pin(msgspec.Struct):
    """The one deployment that scores all rows: by traffic, labels and probabilities could come from two models."""

    deployment: str


def run(work: Work, spec: BatchSpec) -> BatchResult:
    """Score the table that the job names. Raises DataNotFound, TableUnusable, Conflict, ServiceUnavailable."""
    kept = work.folder / "result.json"
    if not kept.exists():
        write_atomic(kept, msgspec.json.encode(_score_table(work, spec)))
        reach(Failpoint.BATCH_KEPT)
    # Only now: whoever finds fewer chunks than there were must find the result too.
    _sweep(_chunk_folder(work))
    work.paths.job_table(work.job.id).unlink(missing_ok=True)
    return msgspec.json.decode(kept.read_bytes(), type=BatchResult)


def _score_table(work: Work, spec: BatchSpec) -> BatchResult:
    """Write the output, going on from the chunks that are there."""
    endpoint = work.store.endpoints.get(spec.endpoint)
    table = _table(work, spec)
    pinned = _pinned(work, endpoint, spec.deployment)
    signature = work.store.models.get(pinned.model, pinned.model_version).signature
    check_columns(signature, table.columns, table.name)
    chunks = _chunk_folder(work)
    chunks.mkdir(exist_ok=True, mode=0o700)
    parts: list[Path] = []
    counts = {"rows": 0, "scored": 0, "refused": 0}
    with closing(Scorer(_target(work, endpoint, pinned.name), signature, time.sleep)) as scorer:
        for number, rows in enumerate(_chunks(table.path)):
            parts.append(chunks / f"{number:06}.csv")
            done = _chunk(parts[-1], rows, table.columns, signature, scorer)
            counts = {name: counts[name] + done[name] for name in counts}
            work.log.info(f"{counts['rows']:,} of {table.rows:,} rows, {counts['refused']:,} refused")
    output = work.paths.job_output(work.job.id)
    _join(parts, output, _header(table.columns, signature))
    reach(Failpoint.BATCH_JOINED)
    return BatchResult(**counts, classes=signature.classes, deployment=pinned.name)


def _target(work: Work, endpoint: Endpoint, deployment: str) -> Target:
    """The one deployment, by the endpoint's own route, with a key that tells whose requests these are."""
    key = origins.key_of(work.store, endpoint.name, Origin.BATCH)
    return Target(endpoint.scoring_uri.removesuffix("/score"), key, {DEPLOYMENT_HEADER: deployment})


def _table(work: Work, spec: BatchSpec) -> Table:
    """The data version that the job names, or its own copy of a file. Raises DataNotFound."""
    if not spec.source:
        asset = work.store.data.get(DataRef(spec.data, spec.data_version))
        return Table(asset.name, work.paths.table(asset.name, asset.content_id), asset.columns, asset.rows)
    path = work.paths.job_table(work.job.id)
    with pq.ParquetFile(path) as file:
        return Table(spec.source, path, tuple(file.schema_arrow.names), file.metadata.num_rows)


def _chunk_folder(work: Work) -> Path:
    return work.folder / "chunks"


def _sweep(chunks: Path) -> None:
    for file in sorted(chunks.iterdir()) if chunks.exists() else ():
        file.unlink()
        reach(Failpoint.BATCH_SWEPT)
    if chunks.exists():
        chunks.rmdir()


def _pinned(work: Work, endpoint: Endpoint, name: str) -> Deployment:
    """The deployment that scores every row, in every attempt: chosen once, then kept. Raises Conflict."""
    kept = work.folder / "pin.json"
    if kept.exists():
        name = msgspec.json.decode(kept.read_bytes(), type=Pin).deployment
        return _chosen(endpoint, name, f"no longer has deployment '{name}', which scored part of the table")
    chosen = _chosen(endpoint, name, f"has no deployment '{name}'" if name else "has no deployment with traffic")
    write_atomic(kept, msgspec.json.encode(Pin(chosen.name)))
    reach(Failpoint.BATCH_PINNED)
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


def _chunk(path: Path, rows: list[Row], columns: Sequence[str], signature: Signature, scorer: Scorer) -> dict[str, int]:
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
    reach(Failpoint.BATCH_CHUNK_WRITTEN)
    refused = sum(bool(answer.problem) for answer in answers)
    counts = {"rows": len(rows), "scored": len(rows) - refused, "refused": refused}
    write_atomic(told, json.dumps(counts).encode())
    reach(Failpoint.BATCH_CHUNK_COUNTED)
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
