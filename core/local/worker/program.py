"""A user's program, from its start to the end of the last process that it has started."""

import fcntl
import os
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

import psutil

from core.domain.errors import StepFailed
from core.local.machine import families
from core.local.machine.families import Limits
from core.local.machine.processes import this_process
from core.local.worker.printed import Printed

LOOK_S = 0.1
"""How often time and memory are looked at."""
TERM_GRACE_S = 0.3
"""So long a program may tidy up when it is asked to end: cancel promises a second for everything."""
PIPE_BYTES = 2**20
BURST_MB = 1024
"""Memory grows between two looks: from four times the limit and this on, the kernel refuses more to each process."""
KILL_FIRST = b"500"
"""When the machine runs out of memory, the kernel ends a step before anything of ours."""
ENDED = 128 + signal.SIGTERM


@dataclass(frozen=True, slots=True)
class Program:
    """A command, and what it runs in."""

    command: Sequence[str]
    folder: Path
    environ: Mapping[str, str]
    limits: Limits


class _Family:
    """All that descends from us and was not there before the program began."""

    def __init__(self) -> None:
        self._me = this_process()
        self._before = frozenset(families.descendants(self._me))

    def members(self) -> list[psutil.Process]:
        return [member for member in families.descendants(self._me) if member not in self._before]

    def bury(self, child_pid: int) -> None:
        """Orphans that we have adopted are ours to reap; the program itself is its starter's."""
        known = {child_pid, *(member.pid for member in self._before)}
        with suppress(ChildProcessError):
            while dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if dead.si_pid in known:
                    return
                os.waitpid(dead.si_pid, 0)


def run(program: Program, printed: Printed, *, clock: Callable[[], float] = time.monotonic) -> int:
    """The program's exit code, negative for the signal that ended it, once all that it has started is gone.

    Raises StepFailed where it cannot be started or takes more than its limits. SIGTERM to this process ends the
    program with all its own, and then raises SystemExit: the job is somebody else's to end.
    """
    families.adopt_orphans()
    family = _Family()
    with _asked_to_end() as asked, _started(program) as child, _Pipes(child, printed) as pipes:
        try:
            _watch(child, pipes, family, program.limits, asked, clock)
        finally:
            family.bury(child.pid)
            left = [member for member in family.members() if member.pid != child.pid]
            families.end(family.members)
            child.wait()
            family.bury(child.pid)
            pipes.drain()
            printed.close()
    if asked:
        raise SystemExit(ENDED)
    if left:
        printed.note(f"It left {len(left)} process{'es' if len(left) > 1 else ''} running, which were ended")
    return child.returncode


def _watch(
    child: "subprocess.Popen[bytes]",
    pipes: "_Pipes",
    family: _Family,
    limits: Limits,
    asked: Sequence[int],
    clock: Callable[[], float],
) -> None:
    """Until it has ended, or has to be. Raises StepFailed for a limit."""
    begun = look_at = clock()
    kill_at: float | None = None
    while child.poll() is None:
        if pipes.open:
            pipes.read(LOOK_S)
        else:  # it has closed both, and goes on or is about to end
            with suppress(subprocess.TimeoutExpired):
                child.wait(LOOK_S)
        now = clock()
        if asked and kill_at is None:
            families.ask_to_end(family.members())
            kill_at = now + TERM_GRACE_S
        if kill_at is not None and now >= kill_at:
            return
        if now >= look_at:
            look_at = now + LOOK_S
            family.bury(child.pid)
            used_mb = families.used_mb(family.members(), limits.memory_mb) if limits.memory_mb is not None else 0.0
            if why := limits.broken(now - begun, used_mb):
                raise StepFailed(why, hint="Raise the step's limit, or let it take less")


class _Pipes:
    """The ends at which what a program prints comes out; each read takes what is there, and no more."""

    def __init__(self, child: "subprocess.Popen[bytes]", printed: Printed) -> None:
        self._printed, self._selector = printed, selectors.DefaultSelector()
        for level, pipe in (("out", child.stdout), ("err", child.stderr)):
            assert pipe is not None
            self._open(pipe, level)

    def _open(self, pipe: IO[bytes], level: str) -> None:
        os.set_blocking(pipe.fileno(), False)
        with suppress(OSError):  # larger than a user may have
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._selector.register(pipe, selectors.EVENT_READ, level)

    def __enter__(self) -> "_Pipes":
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()

    @property
    def open(self) -> bool:
        """Whether anybody can still write."""
        return bool(self._selector.get_map())

    def read(self, timeout_s: float) -> bool:
        """Take what comes within that time; whether something came."""
        came = False
        for key, _ in self._selector.select(timeout_s):
            if chunk := os.read(key.fd, self._printed.chunk_bytes):
                came = True
                self._printed.take(key.data, chunk)
            else:
                self._selector.unregister(key.fileobj)
        self._printed.look()
        return came

    def drain(self) -> None:
        """Take what is left; nobody writes any more."""
        while self.open and self.read(0.0):
            pass


@contextmanager
def _started(program: Program) -> Iterator["subprocess.Popen[bytes]"]:
    try:
        child = subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=program.folder,
            env=dict(program.environ),
            start_new_session=True,
            umask=0o077,
            preexec_fn=lambda: _prepare(program.limits),  # noqa: PLW1509 - a worker has no other thread
        )
    except (OSError, ValueError) as e:  # ValueError: a word with a NUL byte
        raise StepFailed(f"'{program.command[0]}' cannot be started: {e}") from e
    with child:
        yield child


def _prepare(limits: Limits) -> None:
    """In the new process, before it becomes the program."""
    families.die_with_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if limits.memory_mb is not None:
        most = (4 * limits.memory_mb + BURST_MB) * families.MB
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_bytes(KILL_FIRST)


@contextmanager
def _asked_to_end() -> Iterator[list[int]]:
    """A list that is no longer empty once somebody has asked this process to end."""
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, before)


def signal_name(code: int) -> str:
    """The name of the signal behind a negative exit code."""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
