"""Children: started, known again, and ended with all they started."""

import os
import signal
import sys
from pathlib import Path

import pytest
from waiting import wait_until

from core.local.machine import processes
from core.local.machine.processes import Process

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")
WITH_CHILD = (
    sys.executable,
    "-c",
    "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid); "
    "sys.stdout.flush(); sys.stdin.read(); import time; time.sleep(600)",
)
DEAF = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "child.log"


def start(command: tuple[str, ...], log: Path) -> Process:
    return processes.spawn(command, log=log, environ=os.environ)


def test_a_child_lives_until_it_is_killed(log: Path) -> None:
    child = start(SLEEP, log)
    assert processes.alive(child)
    processes.end_groups([child], grace_s=5)
    assert not processes.alive(child)
    assert processes.exit_code(child) == -signal.SIGTERM


def test_a_later_owner_of_a_number_is_neither_alive_nor_signalled(log: Path) -> None:
    child = start(SLEEP, log)
    earlier = Process(child.pid, child.started - 100)
    assert not processes.alive(earlier)
    processes.signal_group(earlier, signal.SIGKILL)
    assert processes.alive(child)
    processes.end_groups([child], grace_s=0)


def test_what_a_dead_leader_left_in_its_group_is_ended(log: Path) -> None:
    leader = start(WITH_CHILD, log)
    text = wait_until(lambda: log.read_text().strip(), 10)
    left = Process(int(text), leader.started)
    os.kill(leader.pid, signal.SIGKILL)
    wait_until(lambda: not processes.alive(leader), 5)
    os.kill(left.pid, 0)
    processes.end_groups([leader], grace_s=0)
    wait_until(lambda: not runs(left.pid), 5)


def test_a_child_that_ignores_the_request_is_killed_after_the_grace(log: Path) -> None:
    child = start(DEAF, log)
    wait_until(log.read_text, 10)
    ending = processes.Endings(grace_s=0.2)
    wait_until(lambda: ending.gone(child), 5)
    assert processes.exit_code(child) == -signal.SIGKILL


def test_a_child_is_found_by_its_command(log: Path) -> None:
    command = (*SLEEP, "a mark of this test's own")
    child = start(command, log)
    wait_until(lambda: processes.find(command) == child, 5)
    processes.end_groups([child], grace_s=0)
    assert processes.find(command) is None


def test_nobody_is_dead_and_gets_no_signal() -> None:
    assert not processes.alive(processes.NOBODY)
    processes.signal_group(processes.NOBODY, signal.SIGKILL)


def test_the_last_line_of_a_log_is_the_last_that_says_something(log: Path) -> None:
    assert processes.last_line(log) == ""
    log.write_text("Traceback\nValueError: no\n\n")
    assert processes.last_line(log) == "ValueError: no"
    assert processes.last_line(log, since=log.stat().st_size) == ""


def runs(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() != b""
