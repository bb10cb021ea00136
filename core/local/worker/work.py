"""What a worker's job has at hand: its row, the store, its log, and its tools."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import msgspec

from core.domain.data import DataAsset
from core.domain.job import Job, LogLine
from core.domain.training import Compute, TrainingSpec
from core.local.machine.durable import storage_error
from core.local.paths import Paths
from core.local.store.db import Store
from core.ml.engines import load_engine
from core.ml.executor import Executor
from core.ml.search import Search, SearchResult
from core.settings import Settings


class Package(Protocol):
    """Writes what a search found as one complete model folder: `core.packaging.write.write_model`, or a test's own."""

    def __call__(
        self, folder: Path, result: SearchResult, *, spec: TrainingSpec, data: DataAsset, job_id: str, created_at: float
    ) -> None: ...


def local_executor(compute: Compute) -> Executor:
    """Trials in processes of their own, killable, and limited in threads and memory by `compute`."""
    executor: Executor = _loaded("core.local.worker.executors:ProcessExecutor")(
        threads=compute.threads, memory_mb=compute.memory_mb
    )
    return executor


def write_model(folder: Path, result: SearchResult, **facts: Any) -> None:
    """`core.packaging.write.write_model`."""
    _loaded("core.packaging.write:write_model")(folder, result, **facts)


def _loaded(path: str) -> Any:
    """Loaded when used: most kinds of job need no learner."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a training job works with: the seams for another engine, another place to run trials, another packaging."""

    engines: Callable[[str], Search] = load_engine
    executors: Callable[[Compute], Executor] = local_executor
    package: Package = write_model


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

    def _say(self, level: str, text: str) -> None:
        line = msgspec.json.encode(LogLine(self._clock(), level, text)) + b"\n"
        try:
            with self._lock:
                self._file.write(line)
        except OSError as e:
            raise storage_error(e, f"write {self._path.name}") from e


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at one job."""

    job: Job
    store: Store
    paths: Paths
    settings: Settings
    clock: Callable[[], float]
    log: JobLog
    tools: Tools

    @property
    def folder(self) -> Path:
        return self.paths.job(self.job.id)

    def compute(self) -> Compute:
        """The limits of the job's compute; one that was never stored has the settings' limits."""
        known = {compute.name: compute for compute in self.store.computes()}
        default = Compute(self.job.compute, threads=self.settings.threads, memory_mb=self.settings.memory_mb)
        return known.get(self.job.compute, default)
