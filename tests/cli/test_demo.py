"""The demo as a process: the app answers, and when it ends it leaves nothing of its own behind."""

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import living
import pytest
from fakes import without
from quickstart_fakes import LifecycleFake
from waiting import wait_until

from core.cli.demo import service_meanwhile
from core.settings import read_settings

DEMO = [sys.executable, "-m", "core", "demo"]
STOP_TIMEOUT_S = 40.0


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def home(tmp_path):
    yield tmp_path / "home"
    living.close(tmp_path / "home")


@pytest.fixture
def demo(home, port):
    """Starts the demo and waits until it says where it is."""
    started = []

    def demo() -> subprocess.Popen[str]:
        environ = living.environment(home) | {"SLIPWAY_APP_PORT": str(port)}
        process = subprocess.Popen(DEMO, cwd=living.CHECKOUT, env=environ, stderr=subprocess.PIPE, text=True)
        started.append(process)
        said = process.stderr.readline()
        assert said == f"Slipway is running at http://localhost:{port}. Ctrl-C stops it; nothing is lost.\n"
        return process

    yield demo
    for process in started:
        process.kill()
        process.communicate(timeout=10)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def test_the_demo_serves_the_app_and_stops_what_it_started(demo, home, port):
    running = demo()
    assert answers(port)
    wait_until((home / "quickstart.log").read_text, 20)
    running.send_signal(signal.SIGINT)
    assert running.wait(STOP_TIMEOUT_S) == 0
    assert living.alive_in(home) == []


@pytest.mark.full
def test_a_service_that_was_there_before_stays(demo, home):
    assert living.command(home, "service", "start").returncode == 0
    running = demo()
    running.send_signal(signal.SIGTERM)
    assert running.wait(STOP_TIMEOUT_S) == 0
    assert living.command(home, "service", "status").returncode == 0


def test_a_port_in_use_is_named_with_the_way_out(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environ = living.environment(home) | {"SLIPWAY_APP_PORT": str(port)}
        ran = subprocess.run(
            [*DEMO, "--json"], cwd=living.CHECKOUT, env=environ, capture_output=True, text=True, timeout=60, check=False
        )
    error = json.loads(ran.stdout)["error"]
    assert ran.returncode == 1
    assert f"The app cannot use port {port}" in error["message"]
    assert "SLIPWAY_APP_PORT=" in error["hint"]
    assert living.alive_in(home) == []


@pytest.mark.parametrize("lacking", [(), ("service.stop",), ("service.start", "service.stop", "service.status")])
def test_a_workspace_without_a_service_is_shown_as_well(tmp_path, lacking):
    fake = LifecycleFake(read_settings({"SLIPWAY_HOME": str(tmp_path)}))
    with service_meanwhile(without(fake.workspace, *lacking)):
        assert fake.running is not bool(lacking)
    assert fake.started == (not lacking)
    assert not fake.running
