"""Trials as tasks of a Ray cluster: here (`ray.init()`), or at an address. Ray is an optional dependency.

Its machines must see the folder of the job at the same path, as the table and what a trial leaves lie there.
"""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from queue import Empty, SimpleQueue
from typing import Any

import psutil

from core.domain.errors import ServiceUnavailable, SpecInvalid
from core.domain.training import TrialState
from core.local.worker.watching import LOOK_S, watched
from core.ml.executor import Event, GivenUp, nobody, run_here
from core.ml.task import Stop, Train, TrialOutcome, TrialProgress, TrialTask

CONNECT_MAX_S = 5.0
DEAD_MAX_S = 5.0
"""So long the death of a canceled trial is waited for."""
ERROR_MAX_CHARS = 4_000


@dataclass(slots=True)
class _Running:
    task: TrialTask
    said: Any
    """What the trial tells, as a generator of references."""
    why: str = ""
    """It was given up for; left by the thread that watches, before it kills."""


class RayExecutor:
    """An `Executor` on Ray. `slots` trials run side by side, with `threads` processors each; `memory_mb` is for all.

    `address` names a running cluster ("auto": the one that there is on this machine); empty: one is started here.
    Raises SpecInvalid where Ray is not installed.
    """

    def __init__(self, train: Train, *, threads: int, memory_mb: int, slots: int = 0, address: str = "") -> None:
        self._ray = _ray()
        self.slots = slots or max(1, threads)
        self.threads = max(1, threads // self.slots)
        if not self._ray.is_initialized():
            self._connect(address, max(threads, self.slots))
        # Its workers look for modules where we do.
        found = {"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}}
        options = {"num_cpus": self.threads, "max_retries": 0, "max_calls": 1, "runtime_env": found}
        remote = self._ray.remote(num_returns="streaming", **options)
        self._trial: Callable[..., Any] = remote(_told).remote
        self._train, self._memory_mb = train, memory_mb / self.slots

    def _connect(self, address: str, processors: int) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
        try:
            if address:
                _look_for(address)
                self._ray.init(address=address, log_to_driver=False)
            else:
                self._ray.init(log_to_driver=False, include_dashboard=False, num_cpus=processors)
        except Exception as e:  # it raises plain ones, too
            if address:
                said, hint = f"reach the Ray cluster at '{address}'", "Start it, or correct the compute's ray_address"
            else:
                said, hint = "start a Ray cluster here", "Try again when the machine is less busy"
            raise ServiceUnavailable(f"The training could not {said}: {_line(e)}", hint=hint) from e

    def run(self, tasks: Iterable[TrialTask], stop: Stop, given_up: GivenUp = nobody) -> Iterator[Event]:
        """See `Executor.run`."""
        waiting, running = iter(tasks), list[_Running]()
        with watched(lambda: self._look(running, given_up)) as check:
            try:
                while True:
                    while len(running) < self.slots and not stop() and (task := next(waiting, None)):
                        running.append(_Running(task, self._trial(task, self._train, self._memory_mb)))
                    if not running:
                        return
                    yield from self._collect(running, stop)
                    check()
            finally:
                self._end(running)

    def _look(self, running: list[_Running], given_up: GivenUp) -> None:
        """Kill the trials that are given up, and leave the reason."""
        for trial in [trial for trial in running if not trial.why]:
            trial.why = given_up(trial.task.number)
            if trial.why:
                self._ray.cancel(trial.said, force=True)

    def _collect(self, running: list[_Running], stop: Stop) -> Iterator[Event]:
        self._ray.wait([trial.said for trial in running], num_returns=1, timeout=LOOK_S, fetch_local=False)
        for trial in list(running):
            for event in self._heard(trial):
                if isinstance(event, TrialOutcome):
                    running.remove(trial)
                yield event
        if running and stop():
            self._end(running)
            while running:
                task = running.pop(0).task
                yield TrialOutcome(task.number, TrialState.STOPPED, refit=task.refit)

    def _heard(self, trial: _Running) -> Iterator[Event]:
        """What a trial has told since the last look, without waiting for more."""
        while self._ray.wait([trial.said], timeout=0, fetch_local=False)[0]:
            try:
                event: Event = self._ray.get(next(trial.said))
            except StopIteration:
                return
            except self._ray.exceptions.RayError as e:
                number, refit = trial.task.number, trial.task.refit
                if trial.why:
                    yield TrialOutcome(number, TrialState.STOPPED, trial.why, refit)
                else:
                    yield TrialOutcome(number, TrialState.FAILED, _cause(e), refit)
                return
            yield event
            if isinstance(event, TrialOutcome):
                return

    def _end(self, running: list[_Running]) -> None:
        """Kill them, and wait until they are dead: what they would still write is not to be found later."""
        if not self._ray.is_initialized():
            return
        for trial in running:
            self._ray.cancel(trial.said, force=True)
        for trial in running:
            with suppress(self._ray.exceptions.RayError):
                self._ray.get(trial.said.completed(), timeout=DEAD_MAX_S)


def _ray() -> Any:
    try:
        return import_module("ray")
    except ImportError as e:
        raise SpecInvalid("Ray is not installed", hint="Run: pip install ray") from e


def _look_for(address: str) -> None:
    """Raises OSError where nobody listens; Ray itself would go on trying for many minutes."""
    host, _, port = address.rpartition(":")
    if host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_MAX_S).close()


def _cause(error: Exception) -> str:
    """Why a task ended that could say nothing itself, in one line."""
    return f"Its process ended before the trial was done: {_line(error)}"[:ERROR_MAX_CHARS]


def _line(error: Exception) -> str:
    """The last line of what an error says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _told(task: TrialTask, train: Train, memory_mb: float) -> Iterator[Event]:
    """A trial in a process of Ray's: its folds as they are done, and at last how it ended.

    The trial has a thread of its own; this one passes on what it tells and looks at its memory. The process ends with
    the task, so that nothing of a trial that was too large stays.
    """
    os.umask(0o077)
    said = SimpleQueue[Event]()
    before = _memory_mb()
    doing = threading.Thread(target=lambda: said.put(run_here(task, bool, said.put, train)), daemon=True)
    doing.start()
    while True:
        try:
            event = said.get(timeout=LOOK_S)
        except Empty:
            if (used := _memory_mb() - before) > memory_mb:
                error = f"It used {used:,.0f} MB of memory, its limit is {memory_mb:,.0f} MB"
                yield TrialOutcome(task.number, TrialState.FAILED, error, task.refit)
                return
            continue
        if isinstance(event, TrialProgress):
            yield event
        else:
            yield replace(event, error=event.error[:ERROR_MAX_CHARS])
            return


def _memory_mb() -> float:
    return float(psutil.Process().memory_full_info().uss) / 2**20
