"""The batch job: every row of a data version scored through the endpoint's own route, and the answers kept as a file.

Chunks are finished one by one, so a job that was killed goes on behind its last chunk. A row that the contract refuses
does not sink the others: it gets no prediction, and the reason.
"""

import csv
import http.client
import io
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, NamedTuple, TextIO

import msgspec
import pyarrow.parquet as pq

from core.contract import samples
from core.domain.batch import BatchResult, BatchSpec
from core.domain.data import ColumnKind, DataRef
from core.domain.endpoint import DEPLOYMENT_HEADER, Deployment, Endpoint
from core.domain.errors import Conflict, ServiceUnavailable, TableUnusable
from core.domain.monitoring import Origin
from core.domain.signature import Signature
from core.local import origins
from core.local.machine.durable import growing, write_atomic
from core.local.machine.failpoints import Failpoint, reach
from core.local.machine.ports import HOST, port_of
from core.local.worker.work import Work

CHUNK_ROWS = 1000
CHUNK_BYTES_MAX = 8_000_000
"""Half of what an endpoint takes by default; wide rows make smaller chunks."""
ROUNDS_MAX = 5
"""A refusal names at most 20 rows: after so many rounds the rest of a chunk is sent row by row."""
BUSY = (429, 503)
BUSY_TRIES = 60
TOO_LARGE = 413
TIMEOUT_S = 120.0
PREDICTION, PROBLEM = "prediction", "problem"

Row = dict[str, Any]


class Answer(NamedTuple):
    """What became of one row."""

    label: Any
    chances: Sequence[Any]
    problem: str


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
    """Score the data version that the job names. Raises DataNotFound, TableUnusable, Conflict, ServiceUnavailable."""
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
    key = origins.key_of(work.store, endpoint.name, Origin.BATCH)
    with closing(Client(endpoint, pinned.name, key, time.sleep)) as client:
        for number, rows in enumerate(_chunks(table.path)):
            parts.append(chunks / f"{number:06}.csv")
            done = _chunk(parts[-1], rows, table.columns, signature, client)
            counts = {name: counts[name] + done[name] for name in counts}
            work.log.info(f"{counts['rows']:,} of {table.rows:,} rows, {counts['refused']:,} refused")
    output = work.paths.job_output(work.job.id)
    _join(parts, output, _header(table.columns, signature))
    reach(Failpoint.BATCH_JOINED)
    return BatchResult(**counts, classes=signature.classes, deployment=pinned.name)


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
        return _chosen(endpoint, name, f"has lost deployment '{name}', which has scored a part of the table")
    chosen = _chosen(endpoint, name, f"has no deployment '{name}'" if name else "has no deployment with traffic")
    write_atomic(kept, msgspec.json.encode(Pin(chosen.name)))
    reach(Failpoint.BATCH_PINNED)
    return chosen


def _chosen(endpoint: Endpoint, name: str, otherwise: str) -> Deployment:
    """The deployment that is asked for, else the one with most traffic. Raises Conflict that says `otherwise`."""
    asked = [d for d in endpoint.deployments if d.name == name] if name else list(endpoint.live)
    if not asked:
        raise Conflict(f"Endpoint '{endpoint.name}' {otherwise}", hint="`endpoint get` lists its deployments")
    return max(asked, key=lambda deployment: endpoint.traffic.get(deployment.name, 0))


def check_columns(signature: Signature, columns: Sequence[str], table: str) -> None:
    """Raise TableUnusable that names the columns which the model needs and the table has not."""
    missing = [column.name for column in signature.used if column.name not in columns and not column.nullable]
    if missing:
        raise TableUnusable(
            f"'{table}' lacks {len(missing)} column(s) that the model reads: {', '.join(missing[:10])}",
            hint=f"It has: {', '.join(list(columns)[:20])}",
        )


class Client:
    """One kept connection to the endpoint's scoring route, as any client would have it."""

    def __init__(self, endpoint: Endpoint, deployment: str, key: str, sleep: Callable[[float], None]) -> None:
        self._connection = http.client.HTTPConnection(HOST, port_of(endpoint.scoring_uri), timeout=TIMEOUT_S)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._headers[DEPLOYMENT_HEADER] = deployment
        self._sleep = sleep

    def close(self) -> None:
        self._connection.close()

    def score(self, rows: Sequence[Row], method: str) -> tuple[int, Any]:
        """The status (200, 400, 413) and the parsed reply. Waits while it is busy. Raises ServiceUnavailable."""
        body = samples.body(rows, method=method)
        for attempt in range(BUSY_TRIES):
            try:
                self._connection.request("POST", "/score", body, self._headers)
                reply = self._connection.getresponse()
                raw = reply.read()
            except (OSError, http.client.HTTPException) as e:
                self._connection.close()
                if attempt == BUSY_TRIES - 1:
                    raise ServiceUnavailable(f"The endpoint does not answer: {e}") from e
                self._sleep(1.0)
                continue
            if reply.status in BUSY:
                self._sleep(float(reply.getheader("retry-after", "1")))
            elif reply.status in (200, 400, TOO_LARGE):
                return reply.status, _parsed(raw)
            else:
                raise ServiceUnavailable(
                    f"The endpoint answered {reply.status}: {raw[:300].decode('utf-8', 'replace')}"
                )
        raise ServiceUnavailable("The endpoint was busy for too long", hint="Try again when it has less to do")


def _parsed(raw: bytes) -> Any:
    reply = json.loads(raw)
    return json.loads(reply) if isinstance(reply, str) else reply  # `legacy_reply` encodes twice


def _chunks(table: Path) -> Iterator[list[Row]]:
    """The table's rows, in chunks of at most CHUNK_ROWS and about CHUNK_BYTES_MAX."""
    with pq.ParquetFile(table) as file:
        wide = file.metadata.num_columns * 40  # bytes of a cell in JSON, roughly
        for batch in file.iter_batches(batch_size=max(1, min(CHUNK_ROWS, CHUNK_BYTES_MAX // wide))):
            yield batch.to_pylist()


def _chunk(path: Path, rows: list[Row], columns: Sequence[str], signature: Signature, client: Client) -> dict[str, int]:
    """Score one chunk into the file `path`, unless that was done before; how many rows went which way."""
    told = path.with_suffix(".json")
    if told.exists() and path.exists():
        return dict(json.loads(told.read_text()))
    answers = _answers([_sent(row, signature) for row in rows], client)
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


def _answers(rows: Sequence[Row], client: Client) -> list[Answer]:
    """One answer a row: rows that are refused are taken out and told why, the others sent again."""
    answers: dict[int, Answer] = {}
    left = list(range(len(rows)))
    for _ in range(ROUNDS_MAX):
        refused = _score(rows, left, client, answers)
        if not refused:
            break
        answers |= {at: Answer("", (), problem) for at, problem in refused.items()}
        left = [at for at in left if at not in refused]
    else:
        for at in left:
            for problem in _score(rows, [at], client, answers).values():
                answers[at] = Answer("", (), problem)
    return [answers[at] for at in range(len(rows))]


def _score(rows: Sequence[Row], which: Sequence[int], client: Client, answers: dict[int, Answer]) -> dict[int, str]:
    """Score some rows into `answers`; what the contract refuses, by row. Raises Conflict for a refusal of no row."""
    if not which:
        return {}
    sent = [rows[at] for at in which]
    status, labels = client.score(sent, "predict")
    if status == TOO_LARGE:
        return _in_halves(rows, which, client, answers, labels["message"])
    if status == 200:
        status, chances = client.score(sent, "predict_proba")
        if status != 200:
            raise ServiceUnavailable(f"The endpoint gives labels but no probabilities: {chances['message']}")
        for at, label, chance in zip(which, labels["result"], chances["result"], strict=True):
            answers[at] = Answer(label, chance, "")
        return {}
    problems: dict[int, str] = {}
    for detail in labels["details"]:
        if detail["row"] < 0:
            raise Conflict(f"The endpoint refuses the table: {labels['message']}")
        problems.setdefault(which[detail["row"]], f"{detail['column']}: {detail['problem']}")
    return problems


def _in_halves(
    rows: Sequence[Row], which: Sequence[int], client: Client, answers: dict[int, Answer], why: str
) -> dict[int, str]:
    """As `_score`, for rows that together are more than the endpoint takes in a request."""
    if len(which) == 1:
        return {which[0]: why}
    middle = len(which) // 2
    return _score(rows, which[:middle], client, answers) | _score(rows, which[middle:], client, answers)


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
