"""Child processes: start each in a group of its own, know it again after a restart, end it with all it started."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from core.local.machine import failpoints
from core.settings import CHECKOUT, Settings, as_environment

PASSED_ON = (
    *("PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "PYTHONDONTWRITEBYTECODE"),
    failpoints.VARIABLE,
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE"),
    *(f"OTEL_EXPORTER_OTLP_{name}" for name in ("HEADERS", "CERTIFICATE", "CLIENT_KEY", "CLIENT_CERTIFICATE")),
    "OTEL_EXPORTER_OTLP_COMPRESSION",
)
"""What a child sees of our environment besides the settings: its place, and the ways to a table and to a collector."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SAME_START_S = 1.5
"""The kernel gives boot times in whole seconds, so two readings of one process may differ by one."""
LOG_TAIL_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Process:
    """A child of the service; `started` (s after boot, the kernel's word) tells it from a later owner of its pid."""

    pid: int
    started: float


NOBODY = Process(0, 0.0)
"""In the place of a worker: it was stopped in order, so that its absence is no crash."""

EXIT_CODES_MAX = 1000

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Our own living children: a forgotten one would stay a zombie for ever."""
_exit_codes: dict[int, int] = {}
"""How our last children ended, by pid."""


def python_module(name: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of Slipway with this interpreter."""
    return (sys.executable, "-m", name, *arguments)


def environment(settings: Settings, threads: int | None = None) -> dict[str, str]:
    """A child's environment: the settings, and `threads` for every numeric library where it is given."""
    environ = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    # PYTHONSAFEPATH: a `core` folder where the user happens to stand is not ours.
    environ |= {"PYTHONPATH": str(CHECKOUT), "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}
    if threads is not None:
        environ |= dict.fromkeys(THREAD_VARIABLES, str(threads))
    return environ | as_environment(settings)


def spawn(command: Sequence[str], *, log: Path, environ: Mapping[str, str]) -> Process:
    """Start a command as the leader of a new session and group; what it prints is appended to `log`. Raises OSError."""
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd=CHECKOUT,
            env=dict(environ),
            start_new_session=True,
            umask=0o077,
        )
    finally:
        os.close(descriptor)
    process = Process(child.pid, _started(psutil.Process(child.pid)))
    _children[child.pid] = child  # only now: another thread may reap one that has died, and nobody could ask about it
    return process


def this_process() -> Process:
    """The process that asks."""
    return Process(os.getpid(), _started(psutil.Process()))


def alive(process: Process) -> bool:
    """Whether this very process still runs: not a zombie, and not a later owner of its number."""
    _reap()
    try:
        found = psutil.Process(process.pid)
        return not ended(found) and _is(found, process)
    except psutil.NoSuchProcess:
        return False


def exit_code(process: Process) -> int | None:
    """How a dead child of ours ended (negative: the signal); None for somebody else's child. Asked once."""
    _reap()
    return _exit_codes.pop(process.pid, None)


def command_line(process: Process) -> tuple[str, ...]:
    """The words that a process was started with; none of one that is gone."""
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return tuple(psutil.Process(process.pid).cmdline())
    return ()


def find(command: Sequence[str]) -> Process | None:
    """The group leader that runs exactly this command: a child whose starter died before it could write its number."""
    for found in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError):
            if found.cmdline()[1:] == list(command[1:]) and os.getpgid(found.pid) == found.pid:
                process = Process(found.pid, _started(found))
                if alive(process):
                    return process
    return None


def signal_group(process: Process, number: int) -> None:
    """Send a signal to all in the group that `process` leads or led; nobody when its number is somebody else's now.

    The kernel gives no number away while a group bears it, so an absent leader's group can only be his.
    """
    if process.pid <= 1:
        return
    with suppress(psutil.NoSuchProcess):
        if not _is(psutil.Process(process.pid), process):
            return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def signal_one(process: Process, number: int) -> None:
    """Send a signal to this process and to nobody else in its group; to nobody once it is dead."""
    with suppress(psutil.NoSuchProcess):
        found = psutil.Process(process.pid)
        if _is(found, process):
            found.send_signal(number)


def end_groups(processes: Sequence[Process], grace_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
    """Ask groups to end, kill what remains after `grace_s` seconds, and return when nobody of them runs."""
    for process in processes:
        signal_group(process, signal.SIGTERM)
    _wait_for_end(processes, clock() + grace_s, clock)
    for process in processes:
        signal_group(process, signal.SIGKILL)
    _wait_for_end(processes, clock() + 2.0, clock)


class Endings:
    """Ends process groups bit by bit: asked at first, killed after a grace by `kill`, never waited for."""

    def __init__(
        self,
        grace_s: float,
        clock: Callable[[], float] = time.monotonic,
        kill: Callable[[Process], object] | None = None,
    ) -> None:
        self._grace_s, self._clock = grace_s, clock
        self._kill = kill or (lambda process: signal_group(process, signal.SIGKILL))
        self._asked_at: dict[int, float] = {}

    def gone(self, process: Process | None) -> bool:
        """Take one step; whether the process is dead, and with it whatever it left in its group."""
        if process is not None and alive(process):
            waited_s = self._clock() - self._asked_at.setdefault(process.pid, self._clock())
            if waited_s >= self._grace_s:
                self._kill(process)
            else:
                signal_group(process, signal.SIGTERM)
            return False
        if process is not None:
            self._asked_at.pop(process.pid, None)
            signal_group(process, signal.SIGKILL)
        return True


def last_line(log: Path, since: int = 0) -> str:
    """The last line that says something in a log (behind byte `since`): a traceback's error, or nothing."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(since, size - LOG_TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _wait_for_end(processes: Sequence[Process], deadline: float, clock: Callable[[], float]) -> None:
    while any(_group_runs(process) for process in processes) and clock() < deadline:
        time.sleep(0.02)


def _group_runs(process: Process) -> bool:
    _reap()
    if process.pid <= 1:
        return False
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    # A container whose first process reaps nobody keeps dead members as zombies.
    return any(_runs_in(found, process.pid) for found in psutil.process_iter())


def _runs_in(found: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(found.pid) == group and not ended(found)
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False


def ended(found: psutil.Process) -> bool:
    """A zombie, unless threads of it still run: those of a killed process keep its ports and locks for a moment."""
    return found.status() == psutil.STATUS_ZOMBIE and found.num_threads() <= 1


def _reap() -> None:
    for pid, child in list(_children.items()):
        if (code := child.poll()) is not None:
            _exit_codes[pid] = code
            _children.pop(pid, None)  # another thread may have reaped it too
    for pid in list(_exit_codes)[:-EXIT_CODES_MAX]:
        _exit_codes.pop(pid, None)


def _is(found: psutil.Process, process: Process) -> bool:
    return abs(_started(found) - process.started) < SAME_START_S


def _started(found: psutil.Process) -> float:
    """Seconds from boot to the process's start: unlike the time of day, nobody can set it."""
    return found.create_time() - psutil.boot_time()
