"""Finished records go into the queue of what is forwarded, and the service keeps the process that forwards them."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from local_world import World, kill
from receivers import Receiver
from waiting import wait_until

from core.local.machine import processes
from core.local.records import catalog, telemetry
from core.local.records.forwarding import HandingOver
from core.local.service.backoff import Backoff
from core.local.service.forwarder import Forwarder
from core.local.service.janitor import Compaction

RECORD = {"at": 1.5, "request_id": "r1", "deployment": "v1", "status": 200, "rows": 2, "elapsed_ms": 2.0}


def segment(folder: Path, number: int = 1, form: str = "jsonl") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"seg-{number}-999999999-{number}.{form}"
    path.write_text(json.dumps({**RECORD, "request_id": f"r{number}"}) + "\n")
    return path


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


@pytest.mark.contract("T4")
def test_what_is_finished_is_handed_over_once_and_merged_without_waiting_for_anybody(world: World) -> None:
    world.add_endpoint("bank")
    folder, queue = world.paths.telemetry("bank"), world.paths.forwarded("bank")
    segment(folder, 1)
    segment(folder, 2, "jsonl.open")  # its server is dead
    with Compaction(world.store, world.paths, 0.05, forwarded=True):
        wait_until(lambda: list(folder.glob("rec-*")) and not list(folder.glob("seg-*")), 30)
    assert sorted(path.name for path in queue.iterdir()) == ["seg-1-999999999-1.jsonl", "seg-2-999999999-2.jsonl"]
    assert telemetry.summary("bank", folder, 0, 10, 1).requests == 2


def test_a_server_that_writes_is_waited_for(tmp_path: Path) -> None:
    path = segment(tmp_path / "telemetry", 1, "jsonl.open")
    HandingOver(True).hand_over(path.parent, tmp_path / "queue", lambda segment: True)
    assert path.exists()
    assert not (tmp_path / "queue").exists()


def test_who_was_killed_while_handing_over_does_it_again(tmp_path: Path) -> None:
    path, queue = segment(tmp_path / "telemetry"), tmp_path / "queue"
    queue.mkdir()
    os.link(path, queue / path.name)  # and died
    over = HandingOver(True)
    assert not over.done(catalog.look(path.parent).segments[0])
    over.hand_over(path.parent, queue, lambda segment: False)
    assert [p.name for p in path.parent.glob("seg-*")] == ["seg-1-999999999-1.sent.jsonl"]
    assert over.done(catalog.look(path.parent).segments[0])


def test_where_nobody_gets_anything_nothing_is_handed_over(tmp_path: Path) -> None:
    path = segment(tmp_path / "telemetry")
    over = HandingOver(False)
    over.hand_over(path.parent, tmp_path / "queue", lambda segment: False)
    assert over.done(catalog.look(path.parent).segments[0])
    assert not (tmp_path / "queue").exists()


@pytest.mark.contract("T4")
def test_the_service_forwards_and_whoever_kills_it_leaves_nobody_behind(receiver: Receiver, tmp_path: Path) -> None:
    world = World(tmp_path / "forwarding", app_insights_connection=receiver.connection)
    command = [*processes.python_module("core.forwarding"), str(world.settings.home)]

    def runs() -> bool:
        return any(process.info["cmdline"] == command for process in psutil.process_iter(["cmdline"]))

    try:
        world.add_endpoint("bank")
        segment(world.paths.telemetry("bank"))
        service = world.start_service()
        wait_until(lambda: len(receiver.items()) == 1, 30)
        assert runs()
        kill(service)
        wait_until(lambda: not runs(), 10)
    finally:
        world.close()


def test_a_process_that_ends_is_started_again_later_and_later(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("core.local.service.forwarder.COMMAND", ("sh", "-c", "echo no such receiver; exit 1"))
    started = []
    spawn = processes.spawn
    monkeypatch.setattr(processes, "spawn", lambda *given, **more: started.append(spawn(*given, **more)) or started[-1])
    forwarder = Forwarder(replace(world.settings, otlp_url="http://127.0.0.1:9"))
    forwarder._backoff = Backoff(0.01, 0.02)

    def look() -> bool:
        forwarder.tick()
        return len(started) == 3

    wait_until(look, 10)
    assert caplog.text.count("no such receiver") == 1
    forwarder.stop()
    Forwarder(world.settings).tick()
    assert len(started) == 3, "where nobody is to get anything nothing is started"
