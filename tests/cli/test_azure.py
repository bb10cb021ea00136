"""The emulation around a command, and as a server of its own."""

import json
import subprocess
import sys

import living
import pytest

from core.settings import CHECKOUT

READ = """
import os, urllib.request, urllib.error
try:
    urllib.request.urlopen("https://management.azure.com/subscriptions?api-version=2022-12-01")
except urllib.error.HTTPError as e:
    print(e.code, os.environ["AZUREML_ARM_WORKSPACE_NAME"])
raise SystemExit(7)
"""


def core(*words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "core", *words]
    return subprocess.run(line, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(autouse=True)
def _nothing_lives_on(tmp_path):
    yield
    living.close(tmp_path / "workspace")


def test_a_command_runs_inside_the_emulation_and_its_exit_code_is_passed_on(tmp_path):
    """An ordinary client asks Azure's own host, over TLS, and is asked for a token."""
    config = tmp_path / "config.json"
    ran = core("azure", "emulate", "--config", str(config), "--", sys.executable, "-c", READ)
    assert (ran.returncode, ran.stdout.split()) == (7, ["401", "emulated"]), ran.stderr
    assert json.loads(config.read_text())["workspace_name"] == "emulated"


def test_a_command_that_is_not_there_is_named():
    ran = core("azure", "emulate", "--", "no-such-program")
    assert ran.returncode == 2
    assert "'no-such-program' cannot be run" in ran.stderr
