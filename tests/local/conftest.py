from collections.abc import Iterator
from pathlib import Path

import fake_worker
import pytest
from forked import forking
from local_world import FAKE_WORKER, World

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
