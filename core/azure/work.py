"""What a job of this machine has at hand: its spec, the workspace, its folder and its log."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.azure.context import Context
from core.azure.here import Here
from core.domain.job import Job, LogLine
from core.workspace import Workspace


class JobLog:
    """One JSON line each, on the file as soon as it is said."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path, self._clock, self._lock = path, clock, threading.Lock()

    def info(self, text: str) -> None:
        self._say("info", text)

    def warning(self, text: str) -> None:
        self._say("warning", text)

    def error(self, text: str) -> None:
        self._say("error", text)

    def _say(self, level: str, text: str) -> None:
        line = msgspec.json.encode(LogLine(self._clock(), level, text)) + b"\n"
        with self._lock, self._path.open("ab") as file:
            file.write(line)


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at one job."""

    job: Job
    workspace: Workspace
    context: Context
    here: Here
    folder: Path
    log: JobLog

    @property
    def clock(self) -> Callable[[], float]:
        return self.context.clock
