"""Finished records go into the queue of what is forwarded, and the service keeps the process that forwards them."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from local_world import World, kill
from receivers import Receiver
from waiting import wait_until

from core.local.machine import processes
from core.local.records import catalog, telemetry
from core.local.records.forwarding import HandingOver
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
        wait_until(lambda: list(folder.glob("rec-*")) and not list(folder.glob("seg-*")), 10)
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
def test_the_service_forwards_whoever_is_killed_and_leaves_nobody_behind(receiver: Receiver, tmp_path: Path) -> None:
    world = World(tmp_path / "forwarding", app_insights_connection=receiver.connection)

    def forwarder() -> int:
        command = [*processes.python_module("core.forwarding"), str(world.settings.home)]
        return next((p.pid for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == command), 0)

    def sent() -> int:
        return len({item["data"]["baseData"]["id"] for item in receiver.items()})

    try:
        world.add_endpoint("bank")
        segment(world.paths.telemetry("bank"))
        service = world.start_service()
        wait_until(lambda: sent() == 1, 30)
        first = wait_until(forwarder, 10)
        os.kill(first, 9)
        segment(world.paths.telemetry("bank"), 2)
        wait_until(lambda: sent() == 2, 30)
        assert forwarder() != first
        kill(service)
        wait_until(lambda: not forwarder(), 10)
    finally:
        world.close()
