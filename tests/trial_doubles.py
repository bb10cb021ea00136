"""What a trial can do to its process. Top-level functions, so that another process finds them by name."""

import os
import signal
import sys
import time
from pathlib import Path

from core.domain.data import ColumnKind
from core.domain.metrics import TaskKind
from core.domain.signature import Column, Signature
from core.ml.finished import refit_folder, stage
from core.ml.task import LearningProblem, Stop, Tell, TrialProgress, TrialStopped, TrialTask
from core.ml.trial import train

SIGNATURE = Signature((Column("x", ColumnKind.NUMBER, False, typical=0.0),), "y", (0, 1), 1)
PROBLEM = LearningProblem("nowhere.parquet", SIGNATURE, (), 10, 2, 7, TaskKind.BINARY, "AUC_weighted")


def task(number: int, folder: Path, *, refit: bool = False, **params: float) -> TrialTask:
    return TrialTask(number, "LightGBM", params, PROBLEM, folder / str(number), 1, refit=refit)


def write_pid(task: TrialTask, stop: Stop, tell: Tell) -> None:
    """Leave a file with the process's id."""
    task.folder.mkdir(parents=True)
    (task.folder / "pid").write_text(str(os.getpid()))


def fail(task: TrialTask, stop: Stop, tell: Tell) -> None:
    raise ValueError(f"no luck with {task.number}")


def crash(task: TrialTask, stop: Stop, tell: Tell) -> None:
    """Die as the system kills what takes too much memory; an odd number gets through."""
    if task.number % 2:
        return write_pid(task, stop, tell)
    os.kill(os.getpid(), signal.SIGKILL)


def leave(task: TrialTask, stop: Stop, tell: Tell) -> None:
    os._exit(3)


def hang(task: TrialTask, stop: Stop, tell: Tell) -> None:
    """Say who one is, and never end."""
    write_pid(task, stop, tell)
    while True:
        time.sleep(0.05)


def hang_when_even(task: TrialTask, stop: Stop, tell: Tell) -> None:
    """One that ends beside one that does not."""
    if task.number % 2 == 0:
        return hang(task, stop, tell)
    other = task.folder.parent / "0" / "pid"
    while not other.exists():
        time.sleep(0.01)


def eat_memory(task: TrialTask, stop: Stop, tell: Tell) -> None:
    """Take 2 GB, 10 MB a time."""
    write_pid(task, stop, tell)
    eaten = []
    for _ in range(200):
        eaten.append(bytearray(os.urandom(1)) * 10_000_000)
        time.sleep(0.01)


def write_loaded(task: TrialTask, stop: Stop, tell: Tell) -> None:
    """Leave a file with the names of the learners' libraries that the process has before it fits anything."""
    task.folder.mkdir(parents=True)
    found = {"lightgbm", "xgboost", "sklearn"} & set(sys.modules)
    (task.folder / "loaded").write_text(" ".join(sorted(found)))


def hang_first(task: TrialTask, stop: Stop, tell: Tell) -> None:
    """The first trial never ends; the others are real ones."""
    if task.number == 0:
        hang(task, stop, tell)
    train(task, stop, tell)


def drop(task: TrialTask, stop: Stop, tell: Tell) -> None:
    """A trial that sees that it is hopeless."""
    raise TrialStopped("hopeless")


def two_folds(task: TrialTask, stop: Stop, tell: Tell) -> None:
    tell(TrialProgress(task.number, (0.5,)))
    tell(TrialProgress(task.number, (0.5, 0.6)))


def wait_when_first(task: TrialTask, stop: Stop, tell: Tell) -> None:
    """The first trial is far behind after its first fold."""
    tell(TrialProgress(task.number, (0.5,), waits=task.number == 0))
    tell(TrialProgress(task.number, (0.5, 0.5)))


def wait_always(task: TrialTask, stop: Stop, tell: Tell) -> None:
    """Every trial is far behind after its first fold."""
    tell(TrialProgress(task.number, (0.5,), waits=True))


def work_until_stopped(task: TrialTask, stop: Stop, tell: Tell) -> None:
    """What a trial does between its rounds: look whether it is to end."""
    write_pid(task, stop, tell)
    while not stop():
        time.sleep(0.01)
    raise TrialStopped


def work_when_even(task: TrialTask, stop: Stop, tell: Tell) -> None:
    if task.number % 2 == 0:
        work_until_stopped(task, stop, tell)


def eat_memory_when_even(task: TrialTask, stop: Stop, tell: Tell) -> None:
    if task.number % 2 == 0:
        eat_memory(task, stop, tell)


def eat_memory_first(task: TrialTask, stop: Stop, tell: Tell) -> None:
    """The first trial takes all the memory there is; the others are real ones."""
    if task.number == 0:
        eat_memory(task, stop, tell)
    train(task, stop, tell)


def kill_the_job(task: TrialTask) -> None:
    """Kill -9 of this very process, with half a folder left behind."""
    folder = refit_folder(task.folder) if task.refit else task.folder
    (stage(folder) / "half").write_text("of a trial")
    os.kill(os.getpid(), signal.SIGKILL)


def die_in_the_refit(task: TrialTask, stop: Stop, tell: Tell) -> None:
    """The job's worker dies while a member is refitted."""
    if task.refit:
        kill_the_job(task)
    train(task, stop, tell)


def die_in_the_second(task: TrialTask, stop: Stop, tell: Tell) -> None:
    """The job's worker dies in its second trial."""
    if task.number == 1:
        kill_the_job(task)
    train(task, stop, tell)
