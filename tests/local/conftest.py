import threading
from collections.abc import Iterator
from pathlib import Path

import fake_service
import fake_worker
import pytest
from forked import forking
from hook import Hook
from local_world import FAKE_SERVICE, FAKE_WORKER, World

from core.local.machine import processes


@pytest.fixture
def started_by_command() -> None:
    """For a test of how workers are started: each by its command, not forked."""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[World]:
    if "started_by_command" not in request.fixturenames:
        monkeypatch.setattr(processes, "spawn", forking(processes.spawn, FAKE_WORKER, fake_worker.work))
    made = World(tmp_path / "workspace")
    yield made
    made.close()


@pytest.fixture
def forked_services(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test that starts the service again and again: forked, it is up at once. Its workers are not forked."""
    monkeypatch.setattr(processes, "spawn", forking(processes.spawn, FAKE_SERVICE, fake_service.serve))


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
