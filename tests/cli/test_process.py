"""The command line as a process of its own."""

import resource
import subprocess
import sys

import pytest

CORE = [sys.executable, "-m", "core"]
HELP_S = 0.3


@pytest.mark.measures
def test_help_is_there_at_once():
    took = []
    for _ in range(5):
        before = children_cpu_s()
        subprocess.run([*CORE, "--help"], check=True, capture_output=True)
        took.append(children_cpu_s() - before)
    assert min(took) < HELP_S, took


def children_cpu_s() -> float:
    """Processor time of the children that have ended: unlike the clock's, it says little of who else is at work."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_needs_neither_the_domain_nor_a_library():
    code = "import sys; from core.cli.main import parser; parser([]); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"numpy", "msgspec", "yaml", "core.workspace", "core.domain.endpoint"} & set(loaded)


def test_what_a_command_makes_is_its_owners_alone():
    code = "import os, core.cli.main as m; m.main(['doctor']); print(oct(os.umask(0)))"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.splitlines()[-1] == "0o77"


def test_a_reader_that_has_seen_enough_is_no_bug():
    line = f"{sys.executable} -m core compute list --json | head -c 0; exit ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
