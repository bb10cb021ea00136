"""Where trials run: the seam between the search and processes, or a cluster later."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from core.domain.training import TrialState
from core.ml.task import Stop, Train, TrialOutcome, TrialStopped, TrialTask


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

    def __init__(self, train: Train, *, threads: int = 1) -> None:
        self.threads = threads
        self._train = train

    def run(self, tasks: Iterable[TrialTask], stop: Stop) -> Iterator[TrialOutcome]:
        for task in tasks:
            yield run_here(task, stop, self._train)
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
