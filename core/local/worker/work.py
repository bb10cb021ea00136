"""What a worker's job has at hand: its row, the store, its log, and its tools."""

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import msgspec

from core.domain.compute import Compute
from core.domain.job import Job, LogLine
from core.durable import growing, storage_error
from core.local.context import compute_named
from core.local.paths import Paths
from core.local.store import Store
from core.local.worker.tools import Tools
from core.settings import Settings
from core.workspace import Workspace

COPIED_BYTES = 2**20


class JobLog:
    """A job's log: one JSON line each, on the file as soon as it is said. Raises StorageFull when it cannot be."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path, self._clock = path, clock
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = path.open("ab", buffering=0)
        self._lock = threading.Lock()

    def __enter__(self) -> "JobLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def info(self, text: str) -> None:
        self._say("info", text)

    def warning(self, text: str) -> None:
        self._say("warning", text)

    def error(self, text: str) -> None:
        self._say("error", text)

    def append(self, lines: bytes) -> None:
        """Lines in the log's own form, all or none of them."""
        with self._lock:
            before, left = self.size(), memoryview(lines)
            try:
                while left:
                    left = left[self._file.write(left) :]
            except OSError as e:
                os.ftruncate(self._file.fileno(), before)  # half a line would spoil the next one too
                raise storage_error(e, f"write {self._path.name}") from e

    def size(self) -> int:
        """How many bytes it has."""
        return os.fstat(self._file.fileno()).st_size

    def rewrite(self, kept: int, lines: Iterable[bytes]) -> None:
        """Keep its first bytes and put these lines behind them; who reads it sees it before or after."""
        with self._lock:
            with growing(self._path) as file, self._path.open("rb") as before:
                copied = 0
                while copied < kept and (block := before.read(min(COPIED_BYTES, kept - copied))):
                    copied += file.write(block)
                file.writelines(lines)
            self._file.close()
            self._file = self._path.open("ab", buffering=0)

    def cut(self, kept: int) -> None:
        """Take its end away, from the first line that begins at or behind byte `kept`."""
        with self._lock, self._path.open("rb") as file:
            file.seek(kept)
            rest_of_line = len(file.readline()) if kept > 0 else 0
            os.ftruncate(self._file.fileno(), kept + rest_of_line)

    def _say(self, level: str, text: str) -> None:
        self.append(msgspec.json.encode(LogLine(self._clock(), level, text)) + b"\n")


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at one job."""

    job: Job
    workspace: Workspace
    store: Store
    paths: Paths
    clock: Callable[[], float]
    log: JobLog
    tools: Tools

    @property
    def settings(self) -> Settings:
        return self.workspace.settings

    @property
    def folder(self) -> Path:
        return self.paths.job(self.job.id)

    def compute(self) -> Compute:
        """The limits of the job's compute."""
        return compute_named(self.store, self.settings, self.job.compute)
