"""Where trials run: the seam between the search and processes, or a cluster later."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from core.domain.signature import Signature
from core.domain.training import TrialState
from core.predict.encoder import ColumnCode

Param = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Problem:
    """What every trial of one search shares: plain values, so that a trial can run anywhere that sees the table."""

    table: str
    """The Parquet file."""
    signature: Signature
    codes: tuple[ColumnCode, ...]
    rows: int
    """Rows whose target is known; the others are left out."""
    folds: int
    seed: int

    @property
    def classes(self) -> int:
        return len(self.signature.classes)


@dataclass(frozen=True, slots=True)
class TrialTask:
    """One configuration to train, complete in itself."""

    number: int
    algorithm: str
    params: Mapping[str, Param]
    problem: Problem
    folder: Path
    """What the trial leaves, complete or not at all."""
    threads: int
    seconds: float = float("inf")
    """Boosting stops adding trees so as to be done by then; nothing else looks at it."""
    started_at: float = 0.0


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """How a task ended; its folder holds the rest when it succeeded."""

    number: int
    state: TrialState
    error: str = ""


class TrialStopped(Exception):
    """Raised inside a trial whose time is over."""


Stop = Callable[[], bool]
Train = Callable[[TrialTask, Stop], None]
"""Does a task: writes its folder and returns, raises TrialStopped soon after `stop()` says so, or fails."""


class Executor(Protocol):
    """Runs trials, and survives whatever they do."""

    @property
    def threads(self) -> int:
        """Threads that each trial may use."""

    def run(self, tasks: Iterable[TrialTask], stop: Stop) -> Iterator[TrialOutcome]:
        """One outcome for each task, in the order in which they end.

        A task is taken from `tasks` only at the moment when it starts. When `stop()` turns true, no more are taken
        and those that run are ended as STOPPED. A task that fails in any way is FAILED with its cause; the others
        go on. Closing the iterator early leaves nothing running.
        """


class InProcessExecutor:
    """One trial after the other in this process: for tests and tiny tables. A trial stops between its folds."""

    def __init__(self, *, threads: int = 1, train: Train | None = None) -> None:
        self.threads = threads
        self._train = train

    def run(self, tasks: Iterable[TrialTask], stop: Stop) -> Iterator[TrialOutcome]:
        train = self._train or default_train()
        for task in tasks:
            yield run_here(task, stop, train)
            if stop():
                return


def run_here(task: TrialTask, stop: Stop, train: Train) -> TrialOutcome:
    """Do a task in this process and say how it ended; only what ends the process itself gets through."""
    try:
        train(task, stop)
    except TrialStopped:
        return TrialOutcome(task.number, TrialState.STOPPED)
    except Exception as e:  # noqa: BLE001 - one trial's failure is recorded with its cause and must not end the job
        return TrialOutcome(task.number, TrialState.FAILED, f"{type(e).__name__}: {e}")
    return TrialOutcome(task.number, TrialState.SUCCEEDED)


def default_train() -> Train:
    """The trainer of this engine. Loaded only where trials run, since it brings the learners."""
    train: Train = import_module("core.ml.trial").train
    return train
