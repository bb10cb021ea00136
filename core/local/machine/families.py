"""Families of processes: whatever a step has started, however far it got away, found and ended as a whole.

A family is known by its parentage, and by a mark in its environment: a process that has left its parent, its group and
its session still bears that, and one whose parent was killed too.
"""

import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from core.local.machine import processes
from core.local.machine.processes import Process

MARK = "SLIPWAY_STEP"
"""The variable of the environment that names the job for which a process was started."""
ROUNDS_MAX = 50
"""Far more than a family needs that starts new processes while it is being stopped."""
END_WAIT_S = 0.5
MB = 2**20

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a family may take; None: as much as it likes."""

    timeout_s: float | None = None
    memory_mb: int | None = None

    def broken(self, elapsed_s: float, used_mb: float) -> str:
        """What it has taken too much of, in a sentence; empty where all is well."""
        if self.memory_mb is not None and used_mb > self.memory_mb:
            return f"It used {used_mb:,.0f} MB of memory, its limit is {self.memory_mb:,} MB"
        if self.timeout_s is not None and elapsed_s > self.timeout_s:
            return f"It ran for {elapsed_s:,.1f} s, its limit is {self.timeout_s:,g} s"
        return ""


def adopt_orphans() -> None:
    """From now on, a descendant of ours whose parent ends becomes our child, instead of nobody's."""
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies. For a new process, before it becomes a program."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def descendants(process: Process) -> list[psutil.Process]:
    """All that a process has started, at any depth; none of one that is gone."""
    with suppress(psutil.NoSuchProcess):
        if processes.alive(process):
            return psutil.Process(process.pid).children(recursive=True)
    return []


def tree(process: Process) -> list[psutil.Process]:
    """A process with all that it has started; none of one that is gone."""
    with suppress(psutil.NoSuchProcess):
        if processes.alive(process):
            return [psutil.Process(process.pid), *descendants(process)]
    return []


def marked(mark: str) -> list[psutil.Process]:
    """All living processes whose environment bears the mark."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for pid in psutil.pids():
        with suppress(OSError, psutil.Error):
            process = psutil.Process(pid)  # before its environment is read: a later owner of its number is not meant
            if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(process)
    return found


def used_mb(members: Iterable[psutil.Process], enough_mb: float) -> float:
    """The memory of all members together, each shared page counted once; exact above `enough_mb` only.

    What is resident is quick to read and never less, so that the exact figure, which is not, is seldom asked for.
    """
    members = tuple(members)
    resident = sum(_of(member, lambda process: process.memory_info().rss) for member in members)
    if resident <= enough_mb * MB:
        return resident / MB
    return sum(_of(member, lambda process: process.memory_full_info().pss) for member in members) / MB


def end(find: Callable[[], Iterable[psutil.Process]]) -> bool:
    """Kill all that `find` gives; whether none of them runs any more.

    They are stopped before the first is killed: so nobody notices another's end, and nobody can start one more.
    """
    stopped: set[psutil.Process] = set()
    for _ in range(ROUNDS_MAX):
        new = set(find()) - stopped
        if not new:
            break
        stopped |= new
        for member in new:
            _signal(member, signal.SIGSTOP)
    for member in stopped:
        _signal(member, signal.SIGKILL)
    deadline = time.monotonic() + END_WAIT_S
    while (running := any(map(_runs, stopped))) and time.monotonic() < deadline:
        time.sleep(0.005)
    return not running


def end_tree(process: Process) -> bool:
    """Kill a process with all that it has started; whether none of them runs any more."""
    return end(lambda: tree(process))


def end_marked(mark: str) -> bool:
    """Kill all that bear the mark; whether none of them runs any more."""
    return end(lambda: marked(mark))


def ask_to_end(members: Iterable[psutil.Process]) -> None:
    """Send each SIGTERM."""
    for member in members:
        _signal(member, signal.SIGTERM)


def _signal(member: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.Error):
        if member.pid != os.getpid():
            member.send_signal(number)


def _runs(member: psutil.Process) -> bool:
    try:
        return member.is_running() and not processes.ended(member)
    except psutil.NoSuchProcess:
        return False


def _of(member: psutil.Process, read: Callable[[psutil.Process], int]) -> int:
    with suppress(psutil.Error, OSError):
        return int(read(member))
    return 0
