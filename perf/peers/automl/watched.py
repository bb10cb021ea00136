"""Run one command by itself, and write down what it and everything that it started have used.

    python -m perf.peers.automl.watched RESULT.json SECONDS THREADS COMMAND...

It is pinned to as many cores as it may have threads. Whatever it leaves behind (a Ray cluster, a service) is adopted,
ended and counted too. Linux.
"""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

ADOPT = 36
"""PR_SET_CHILD_SUBREAPER: orphans below become children here."""
END_WITH_PARENT = 1
"""PR_SET_PDEATHSIG: a comparison that was killed leaves no engine behind."""
LOOK_EVERY_S = 0.02
LATE = 124
"""The exit code of a command that took too long, as `timeout` has it."""


def main(result: str, seconds: str, threads: str, *command: str) -> None:
    """Run it to its end, or to the limit."""
    ctypes.CDLL(None).prctl(ADOPT, 1, 0, 0, 0)
    ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(LATE))
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(threads)])
    load, busy, begun = os.getloadavg(), _busy_s(), time.perf_counter()
    try:
        code = _run(list(command), float(seconds))
    finally:
        _end_what_is_left()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = used.ru_utime + used.ru_stime
    said: dict[str, Any] = {
        "code": code,
        "wall_s": time.perf_counter() - begun,
        "cpu_s": cpu_s,
        "others_cpu_s": max(0.0, _busy_s() - busy - cpu_s),
        "largest_process_mb": used.ru_maxrss / 1024,
        "load_before": load,
        "load_after": os.getloadavg(),
    }
    Path(result).write_text(json.dumps(said), "utf-8")


def _run(command: list[str], seconds: float) -> int:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return LATE


def _end_what_is_left() -> None:
    """End every descendant, and wait for each so that it is counted."""
    while left := psutil.Process().children(recursive=True):
        for process in left:
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        while _reaped():
            pass
        time.sleep(LOOK_EVERY_S)


def _reaped() -> bool:
    """Whether a child had ended, which is counted now."""
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


def _busy_s() -> float:
    """Processor time that the whole machine has spent so far on anything but waiting."""
    spent = psutil.cpu_times()
    return float(spent.user + spent.nice + spent.system + spent.irq + spent.softirq)


if __name__ == "__main__":
    main(*sys.argv[1:])
