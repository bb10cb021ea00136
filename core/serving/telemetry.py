"""One record a request, written behind the requests' back: to segment files, and as log lines to standard error.

The queue is bounded: a slow disk or a stuck reader of standard error costs records, which are counted, never requests.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.serving import causes
from core.serving.causes import Cause
from core.serving.exchange import Exchange
from core.serving.keeping import Kept, Sample
from core.serving.logs import LogLines
from core.serving.spells import Spell

log = logging.getLogger(__name__)

# Ten seconds at 6,000 requests/s; beyond that, drop and count, never block a score.
QUEUE_MAX = 65_536
QUEUE_BYTES_MAX = 32 * 1024 * 1024
"""Of the requests whose values are kept: those of one may take megabytes."""
WRITE_EVERY_S = 0.1
SYNC_EVERY_S = 1.0
"""What the system has not yet put on the disk, a power cut takes: no more than of so long."""
SEGMENT_BYTES_MAX = 8 * 1024 * 1024


class Record(msgspec.Struct):
    """One request to /score, without its values. Fields are the segment's columns."""

    at: float
    request_id: str
    client_request_id: str
    trace_id: str
    deployment: str
    status: int
    rows: int
    method: str
    form: str
    elapsed_ms: float
    run_ms: float
    bytes_in: int
    bytes_out: int
    problem: str = ""
    mirrored: bool = False
    origin: str = ""
    """Which of our own senders it came from, told by its key; empty: a client."""


class Told(Record):
    """A request that failed or was refused, with the reason."""

    cause: str = ""
    """The key of the exception that it failed on: see `core.serving.causes`."""
    reasons: str = ""
    """Why it was refused: a line for each rule that was broken."""


class Mirrored(Told):
    """A copy that another deployment has scored, compared with the answer that the client got.

    Differences are of a row's probabilities, the largest, or of its number; null where the answers cannot be compared.
    """

    live: str = ""
    """The deployment that answered the client."""
    different_rows: int | None = None
    """With another predicted class, or number."""
    difference_sum: float | None = None
    difference_max: float | None = None


def record_of(exchange: Exchange, status: int, bytes_out: int) -> Record:
    """The record of a request that was answered."""
    record = Record(
        at=round(exchange.started_at, 6),
        request_id=exchange.request_id.decode("latin-1"),
        client_request_id=exchange.client_id.decode("latin-1"),
        trace_id=exchange.trace_id,
        deployment=exchange.deployment,
        status=status,
        rows=exchange.rows,
        method=exchange.predict_method,
        form=exchange.form,
        elapsed_ms=round(exchange.elapsed_ms(), 3),
        run_ms=round(exchange.run_ms, 3),
        bytes_in=exchange.body_bytes,
        bytes_out=bytes_out,
        problem=exchange.problem,
        origin=exchange.origin,
    )
    if not (exchange.cause or exchange.reasons):
        return record
    return Told(**msgspec.structs.asdict(record), cause=exchange.cause, reasons=exchange.reasons)


def _without_examples(line: bytes, record: object) -> bytes:
    """A line as it may be logged, where no value of a request ever is."""
    if not line or not (isinstance(record, Told) and "\t" in record.reasons):
        return line
    codes = "\n".join(
        reason.rpartition("\t")[0] if reason.count("\t") == 2 else reason for reason in record.reasons.split("\n")
    )
    return msgspec.json.encode(msgspec.structs.replace(record, reasons=codes)) + b"\n"


class Segments:
    """Appends lines to `seg-{epoch ms}-{pid}-{n}.jsonl.open` and renames it when it is full or old enough."""

    def __init__(self, folder: Path, segment_s: float, clock: Callable[[], float]) -> None:
        self._folder, self._segment_s, self._clock = folder, segment_s, clock
        self._number = 0
        self._path: Path | None = None
        self._fd = -1
        self._opened_at = 0.0
        self._size = 0
        self._unsynced = False

    def append(self, lines: bytes) -> None:
        """Write whole lines at once, or nothing of them. Raises OSError."""
        if self._path is None:
            self._open()
        view = memoryview(lines)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            os.ftruncate(self._fd, self._size)  # half a line would spoil the next one too
            raise
        self._size += len(lines)
        self._unsynced = True

    def sync(self) -> None:
        """Have all that was appended on the disk. Raises OSError."""
        if self._path is not None and self._unsynced:
            self._unsynced = False
            os.fdatasync(self._fd)

    def close_if_due(self) -> None:
        """Close the segment when it is 8 MB large or `segment_s` old."""
        # A clock that was set back would keep the segment open for as long.
        young = 0 <= self._clock() - self._opened_at < self._segment_s
        due = self._size >= SEGMENT_BYTES_MAX or not young
        if self._path is not None and due:
            self.close()

    def close(self) -> None:
        """End the segment under its final name. Raises OSError."""
        if self._path is None:
            return
        self.sync()
        try:
            self._path.rename(self._path.with_suffix(""))  # without .open; where this fails it is tried again
        except FileNotFoundError:  # somebody has removed it: what follows goes to a new one
            self._let_go()
            raise
        self._let_go()

    def _let_go(self) -> None:
        self._path = None
        os.close(self._fd)

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._opened_at, self._size = self._clock(), 0
        self._number += 1
        path = self._folder / f"seg-{self._opened_at * 1000:.0f}-{os.getpid()}-{self._number}.jsonl.open"
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._path = path


class Telemetry:
    """The queue and the thread behind it. `put` never blocks and never fails; `dropped` counts what was lost."""

    def __init__(
        self, folder: Path, *, segment_s: float = 10.0, log_fd: int | None = 2, clock: Callable[[], float] = time.time
    ) -> None:
        """Records go to segments in `folder` and to the file descriptor `log_fd`; None: to the segments alone."""
        self._queue: deque[tuple[Record | Sample | Kept | Cause, int]] = deque()
        self._put_bytes = self._written_bytes = 0
        """Each is one thread's own."""
        self._segments = Segments(folder, segment_s, clock)
        self._log = None if log_fd is None else LogLines(log_fd)
        self._exceptions = folder.parent / causes.FOLDER
        self._closing = threading.Event()
        self._synced = time.monotonic()
        self._spell, self._log_spell = Spell("telemetry"), Spell("the log of requests")
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    def put(self, record: Record | Sample | Kept | Cause, size: int = 0) -> None:
        """Queue a record, or drop and count it when the queue is full; `size` in bytes, where it has no bound."""
        waiting = self._put_bytes - self._written_bytes
        if len(self._queue) >= QUEUE_MAX or (waiting and waiting + size > QUEUE_BYTES_MAX):
            self.dropped += 1
            return
        self._queue.append((record, size))
        if size:
            self._put_bytes += size

    def close(self) -> None:
        """Write what is queued and end the segment."""
        self._closing.set()
        self._thread.join()

    @property
    def write_failures(self) -> int:
        """Tries to write segments or the log that failed."""
        return self._spell.failures + self._log_spell.failures

    def _run(self) -> None:
        while not self._closing.wait(WRITE_EVERY_S):
            self._write()
        self._write(last=True)

    def _write(self, *, last: bool = False) -> None:
        records = [self._queue.popleft() for _ in range(len(self._queue))]
        each = [self._line(record) for record, _ in records]
        lines = b"".join(each)
        if lines and not self._spell.attempt(lambda: self._segments.append(lines)):
            self.dropped += len(records)
        if (now := time.monotonic()) - self._synced >= SYNC_EVERY_S:
            self._synced = now
            self._spell.attempt(self._segments.sync)
        try:
            self._segments.close() if last else self._segments.close_if_due()
        except OSError as e:
            self._spell.failed(e)
        if lines and self._log is not None:
            self._to_log(b"".join(map(_without_examples, each, (record for record, _ in records))))
        self._written_bytes += sum(size for _, size in records)

    def _line(self, record: Record | Sample | Kept | Cause) -> bytes:
        if isinstance(record, Cause):
            self._spell.attempt(lambda: causes.write(self._exceptions, record))
            return b""
        try:
            return msgspec.json.encode(record.sample() if isinstance(record, Kept) else record) + b"\n"
        except Exception as e:  # one odd record must not end the thread that writes all others
            self.dropped += 1
            log.error("a record of telemetry cannot be written as JSON", exc_info=e)
            return b""

    def _to_log(self, lines: bytes) -> None:
        if self._log is None:
            return
        try:
            self._log.write(lines)
        except BrokenPipeError:
            self._log = None  # nobody reads it any more; the segments go on
        except OSError as e:
            self._log_spell.failed(e)
        else:
            self._log_spell.went_well()
