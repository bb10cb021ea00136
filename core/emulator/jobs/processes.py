"""Processes that run a client's code: each with an environment and a folder of its own, in a group that can be ended.

A small shell writes down how the command ended, so that its exit code is known also to an emulation that was started
again meanwhile. When the emulation stops, what it has started ends with it.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
import venv
from collections.abc import Mapping
from pathlib import Path

import psutil

from core.emulator.emulation import Emulation

KILL_AFTER_S = 3.0
CODE = "exit-code"
LOG = "std_log.txt"


def own_environment(folder: Path) -> Path:
    """A Python environment for one command, with the packages that the emulation has; gives its `bin`."""
    target = folder / "environment"
    if not target.exists():
        venv.EnvBuilder(symlinks=True, with_pip=False).create(target)
        packages = Path(sysconfig.get_path("purelib", vars={"base": str(target), "platbase": str(target)}))
        (packages / "emulation.pth").write_text(f"{sysconfig.get_path('purelib')}\n", "utf-8")
    return target / "bin"


def start(emulation: Emulation, folder: Path, command: str, environ: Mapping[str, str]) -> dict[str, float]:
    """Start a command in `folder/code`, its words in `folder/std_log.txt`; gives what `alive` needs."""
    (folder / CODE).unlink(missing_ok=True)
    (folder / "command.sh").write_text(f"{command}\n", "utf-8")
    shell = shutil.which("bash") or "/bin/sh"
    runner = f'"{shell}" ../command.sh; echo $? > ../{CODE}.draft; mv ../{CODE}.draft ../{CODE}'
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            ["/bin/sh", "-c", runner],
            cwd=folder / "code",
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    kept = {"pid": process.pid, "born": psutil.Process(process.pid).create_time()}  # it is there until it is waited for
    threading.Thread(target=_end_with, args=(emulation, process), daemon=True, name="emulated-command").start()
    return kept


def alive(kept: Mapping[str, float]) -> bool:
    """Whether the process that was started is there, and no other that has its number now."""
    try:
        process = psutil.Process(int(kept["pid"]))
        return abs(process.create_time() - kept["born"]) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def exit_code(folder: Path) -> int | None:
    """How a command has ended; None where it has not, or was killed with its shell."""
    try:
        return int((folder / CODE).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def end(kept: Mapping[str, float], *, hard: bool = False) -> None:
    """Ask a command to end with all that it has started, or kill it."""
    if alive(kept):
        _signal(int(kept["pid"]), signal.SIGKILL if hard else signal.SIGTERM)


def base_environ(bin_folder: Path, folder: Path) -> dict[str, str]:
    """What a command finds in its environment before its job adds to it: nothing of whoever started the emulation."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return {
        "PATH": f"{bin_folder}:/usr/local/bin:/usr/bin:/bin",
        "VIRTUAL_ENV": str(bin_folder.parent),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "AZUREML_PYTHON": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


def _end_with(emulation: Emulation, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        if emulation.stopping.wait(0.1):
            _signal(process.pid, signal.SIGTERM)
            time.sleep(0.05)
            _signal(process.pid, signal.SIGKILL)
            process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
