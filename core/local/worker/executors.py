"""Trials in processes of their own: killable, limited in memory, and gone when whoever started them is gone."""

import multiprocessing as mp
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import connection, forkserver
from multiprocessing.context import ForkServerProcess
from multiprocessing.process import parent_process
from signal import Signals
from types import ModuleType

import psutil

from core.domain.training import TrialState
from core.local.worker.watching import LOOK_S, watched
from core.ml.executor import Event, GivenUp, nobody, run_here
from core.ml.task import Stop, Train, TrialOutcome, TrialProgress, TrialTask

SLOTS_MAX = 4
HELD_MAX = 4
"""So many trials wait for better ones; each keeps what it has learned in memory."""
HELD_TOO_LONG = "Its first folds were far behind the best trial's, and others were more promising until the end"
ERROR_MAX_CHARS = 4_000
NEVER_STOP: Stop = bool
"""A child is stopped by its end."""


@dataclass(slots=True)
class _Running:
    task: TrialTask
    process: ForkServerProcess
    outcome: connection.Connection
    """What the child tells of its folds, and at last how it ended."""
    seen: psutil.Process | None
    """Its process, as told from a later one with the same number; None when it ended at once."""
    last: TrialOutcome | None = None
    why_killed: TrialOutcome | None = None
    """Left by the thread that watches, before it kills."""
    held: bool = False
    """Its first folds were poor: it waits, and another one has its place."""

    def memory_mb(self) -> float:
        """What it has for itself; 0 when it has ended."""
        try:
            return float(self.seen.memory_full_info().uss) / 2**20 if self.seen else 0.0
        except psutil.NoSuchProcess:
            return 0.0

    def kill(self) -> None:
        """End it from another thread, which must not ask for the exit code: that can be read once."""
        with suppress(psutil.NoSuchProcess):
            if self.seen:
                self.seen.kill()


class ProcessExecutor:
    """An `Executor` whose trials are processes forked from a server that has loaded the learners once.

    `train` does a trial; a child finds it by its name. `threads` and `memory_mb` (what the trials have for themselves,
    without the libraries that they share) are the limits of all trials together, of which `slots` run side by side
    (0: one a thread, at most four). `libraries` are the modules that the server loads once for all trials.
    """

    def __init__(
        self, train: Train, *, threads: int, memory_mb: int, slots: int = 0, libraries: Sequence[str] = ()
    ) -> None:
        # Two trials of one thread end sooner than one after the other with two: 13.6 s for five against four
        # on the Bank Marketing table, and a linear one has no use for a second thread.
        self.slots = slots or min(threads, SLOTS_MAX)
        self.threads = max(1, threads // self.slots)
        self._memory_mb = memory_mb / self.slots
        self._train = train
        self._context = mp.get_context("forkserver")
        # The server imports in the background, about 2 s, while the caller prepares.
        self._context.set_forkserver_preload([train.__module__, __name__, *libraries])
        forkserver.ensure_running()

    def run(self, tasks: Iterable[TrialTask], stop: Stop, given_up: GivenUp = nobody) -> Iterator[Event]:
        """See `Executor.run`."""
        waiting, running = iter(tasks), list[_Running]()
        # Whoever takes our events may be busy with one for seconds, and a trial is not to go on meanwhile.
        with watched(lambda: self._look(running, given_up)) as check:
            try:
                while True:
                    while _at_work(running) < self.slots and not stop():
                        if (task := next(waiting, None)) is not None:
                            running.append(self._start(task))
                        elif stop() or not _go_on(running):
                            break
                    if not running:
                        return
                    yield from self._collect(running, stop)
                    check()
            finally:
                for child in running:
                    _end(child)

    def _start(self, task: TrialTask) -> _Running:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_child, args=(task, self._train, theirs))
        with another_main():
            process.start()
        theirs.close()
        return _Running(task, process, ours, _seen(process))

    def _look(self, running: list[_Running], given_up: GivenUp) -> None:
        """Kill the trials that are given up or take too much memory, and leave the reason."""
        for child in [child for child in running if not child.why_killed]:
            child.why_killed = self._why_killed(child, given_up)
            if child.why_killed:
                child.kill()

    def _why_killed(self, child: _Running, given_up: GivenUp) -> TrialOutcome | None:
        number, refit = child.task.number, child.task.refit
        if why := given_up(number):
            return TrialOutcome(number, TrialState.STOPPED, why, refit)
        if (used_mb := child.memory_mb()) > self._memory_mb:
            error = f"It used {used_mb:,.0f} MB of memory, its limit is {self._memory_mb:,.0f} MB"
            return TrialOutcome(number, TrialState.FAILED, error, refit)
        return None

    def _no_longer_held(self, running: list[_Running]) -> _Running | None:
        """The one that has been held for longest, where there are too many, or where the memory of all is used up."""
        held = [child for child in running if child.held]
        if not held:
            return None
        used_mb = sum(child.memory_mb() for child in running)
        return held[0] if len(held) > HELD_MAX or used_mb > self._memory_mb * self.slots else None

    def _collect(self, running: list[_Running], stop: Stop) -> Iterator[Event]:
        """The outcomes of those that ended by themselves within a moment, or that had to be ended."""
        connection.wait([child.process.sentinel for child in running], timeout=LOOK_S)
        over, dropped = stop(), self._no_longer_held(running)
        for child in list(running):
            yield from _told(child)
            if not child.process.is_alive():
                running.remove(child)
                yield _last_words(child)
            elif over or child is dropped:
                running.remove(child)
                _end(child)
                why = HELD_TOO_LONG if child.held else ""
                yield TrialOutcome(child.task.number, TrialState.STOPPED, why, child.task.refit)


@contextmanager
def another_main() -> Iterator[None]:
    """A new process imports its parent's main module once more: 0.7 s of every trial, and none needs it."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _seen(process: ForkServerProcess) -> psutil.Process | None:
    try:
        return psutil.Process(process.pid)
    except psutil.NoSuchProcess:
        return None


def _at_work(running: Sequence[_Running]) -> int:
    return sum(not child.held for child in running)


def _go_on(running: Sequence[_Running]) -> bool:
    """Let the first one go on that is held; whether there was one."""
    held = next((child for child in running if child.held), None)
    if held is not None:
        held.held = False
        with suppress(OSError):  # it has died meanwhile, which is seen in a moment
            held.outcome.send(None)
    return held is not None


def _end(child: _Running) -> None:
    child.process.kill()
    child.process.join()
    child.outcome.close()


def _told(child: _Running) -> Iterator[TrialProgress]:
    """What a child has said of its folds; its last word is kept for its end."""
    while child.last is None and child.outcome.poll():
        try:
            said = child.outcome.recv()
        except EOFError:
            return
        if isinstance(said, TrialProgress):
            child.held = said.waits
            yield said
        else:
            child.last = said


def _last_words(child: _Running) -> TrialOutcome:
    child.process.join()
    for _ in _told(child):
        pass  # a fold that was done in the very last moment: the folder has it
    child.outcome.close()
    if found := child.last or child.why_killed:
        return found
    child.kill()  # it may live on where the server has died that forked it, and would write into its folder
    return TrialOutcome(child.task.number, TrialState.FAILED, _cause(child.process.exitcode), child.task.refit)


def _cause(code: int | None) -> str:
    """Why a child ended that could say nothing itself."""
    if code is not None and code < 0:
        return f"Its process was ended by {Signals(-code).name}; the system does this when it runs out of memory"
    return f"Its process ended with code {code} before the trial was done"


def _child(task: TrialTask, train: Train, outcome: connection.Connection) -> None:
    """The whole life of a trial's process."""
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    os.umask(0o077)

    def tell(progress: TrialProgress) -> None:
        outcome.send(progress)
        if progress.waits:
            outcome.recv()

    ended = run_here(task, NEVER_STOP, tell, train)
    outcome.send(replace(ended, error=ended.error[:ERROR_MAX_CHARS]))
    outcome.close()


def _leave_with_parent() -> None:
    """A job that was killed must not leave a trial that nobody waits for, and that would write into its folder."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
