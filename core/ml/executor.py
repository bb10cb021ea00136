"""Where trials run: the seam between the search and processes, or a cluster."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from core.domain.training import TrialState
from core.ml.task import Stop, Tell, Train, TrialOutcome, TrialProgress, TrialStopped, TrialTask

Event = TrialOutcome | TrialProgress
GivenUp = Callable[[int], str]
"""Why the trial of this number is to end now; empty while it may go on."""


def nobody(number: int) -> str:
    """No trial is given up."""
    return ""


class Executor(Protocol):
    """Runs trials, and survives whatever they do."""

    @property
    def threads(self) -> int:
        """Threads that each trial may use."""

    @property
    def slots(self) -> int:
        """Trials that run side by side."""

    def run(self, tasks: Iterable[TrialTask], stop: Stop, given_up: GivenUp = nobody) -> Iterator[Event]:
        """One outcome for each task, in the order in which they end, and what it tells of its folds before.

        A task is taken from `tasks` only at the moment when it starts. When `stop()` turns true, no more are taken
        and those that run are ended as STOPPED; so is one that is given up, with the reason. A task that fails in any
        way is FAILED with its cause; the others go on. Closing the iterator early leaves nothing running. A trial that
        says that it waits may be held back until no more tasks come.
        """


class InProcessExecutor:
    """One trial after the other in this process: for tests and tiny tables. A trial stops between its folds."""

    slots = 1

    def __init__(self, train: Train, *, threads: int = 1) -> None:
        self.threads = threads
        self._train = train

    def run(self, tasks: Iterable[TrialTask], stop: Stop, given_up: GivenUp = nobody) -> Iterator[Event]:
        """See `Executor.run`; what a trial tells of its folds is heard when it has ended."""
        for task in tasks:
            told = list[TrialProgress]()
            ends = lambda number=task.number: stop() or bool(given_up(number))  # noqa: E731 - bound to this task
            outcome = run_here(task, ends, told.append, self._train)
            if outcome.state is TrialState.STOPPED and not outcome.error:
                outcome = replace(outcome, error=given_up(task.number))
            yield from told
            yield outcome
            if stop():
                return


def run_here(task: TrialTask, stop: Stop, tell: Tell, train: Train) -> TrialOutcome:
    """Do a task in this process and say how it ended; only what ends the process itself gets through."""
    try:
        train(task, stop, tell)
    except TrialStopped as e:
        return TrialOutcome(task.number, TrialState.STOPPED, str(e), task.refit)
    except Exception as e:  # noqa: BLE001 - one trial's failure is recorded with its cause and must not end the job
        return TrialOutcome(task.number, TrialState.FAILED, f"{type(e).__name__}: {e}", task.refit)
    return TrialOutcome(task.number, TrialState.SUCCEEDED, refit=task.refit)
