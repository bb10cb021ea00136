"""The service as a process: one per workspace, its port and key, its start and stop from outside."""

import http.client
import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from living import alive_in
from local_world import FAKE_SERVICE, World, kill, living
from turns import on_day
from waiting import wait_until

from core.domain.endpoint import EndpointState
from core.domain.errors import PortInUse, ServiceUnavailable
from core.domain.job import JobState
from core.local import control
from core.local.machine import ports, processes

DAYS = 3
"""Each start of the real service is most of a second of a processor."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A workspace whose service runs."""
    made = World(tmp_path_factory.mktemp("running") / "workspace")
    made.start_service()
    yield made
    made.close()


def run_another(world: World) -> "subprocess.CompletedProcess[str]":
    environ = processes.environment(world.settings)
    return subprocess.run(FAKE_SERVICE, env=environ, capture_output=True, text=True, timeout=30, check=False)


def test_a_second_service_is_refused_in_one_sentence(running: World) -> None:
    pid = running.status_pid()
    second = run_another(running)
    assert second.returncode == 1
    said = second.stderr.strip().splitlines()[-1]
    assert said.startswith("ServiceRunning: A service is already running for the workspace")
    assert "Traceback" not in second.stderr
    assert running.status_pid() == pid


def test_the_key_is_its_owners_only_and_opens_the_door(running: World) -> None:
    key = running.paths.service_key.read_text()
    assert len(key) >= 43
    for path in (running.paths.service_key, running.paths.store, running.paths.service_log):
        assert path.stat().st_mode & 0o077 == 0
    assert get(running, "/jobs", key) == 200
    assert get(running, "/jobs", "wrong") == 401


def test_finished_telemetry_is_merged(running: World) -> None:
    running.add_endpoint("records")
    folder = running.paths.telemetry("records")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "seg-1-999999999-1.jsonl.open").write_text('{"at": 1.0, "status": 200, "mirrored": false}\n')
    wait_until(lambda: sorted(path.suffix for path in folder.iterdir()) == [".json", ".parquet", ".sums"], 10)


def test_the_gate_of_the_first_deployment_gives_it_all_traffic(running: World) -> None:
    running.add_endpoint("bank")
    running.deploy("bank")
    wait_until(lambda: running.endpoint("bank").traffic == {"v1": 100}, 20)
    told = running.paths.endpoint_file("bank")
    wait_until(lambda: b'"traffic":{"v1":100}' in told.read_bytes(), 10)


@on_day(0, DAYS)
def test_the_port_is_kept_and_a_taken_one_is_an_error_not_a_move(world: World) -> None:
    kill(world.start_service())
    port, key = int(world.store.facts.get("service_port")), world.paths.service_key.read_text()
    with ports.listen(port, "a stranger"):
        second = run_another(world)
        with pytest.raises(PortInUse, match=f"Port {port}, which belongs to the service, is used"):
            control.start_detached(world.settings)
    assert second.returncode == 1
    assert f"PortInUse: Port {port}" in second.stderr
    world.start_service()
    assert control.status(world.settings).url == f"http://127.0.0.1:{port}"
    assert world.paths.service_key.read_text() == key


@on_day(1, DAYS)
def test_the_service_starts_once_whoever_asks_and_says_so_quickly_after(world: World) -> None:
    with ThreadPoolExecutor() as pool:
        first, *others = pool.map(control.start_detached, [world.settings] * 4)
    assert others == [first] * 3
    # One that is still coming up would go on once this one is stopped.
    assert [process.pid for process in alive_in(world.paths.home)] == [first.pid]
    durations = []
    for _ in range(5):
        start_s = time.perf_counter()
        assert control.start_detached(world.settings) == first
        durations.append(time.perf_counter() - start_s)
    assert first.running
    assert min(durations) < 0.1
    assert not control.stop(world.settings).running


def test_a_service_that_is_not_up_in_time_does_not_come_up_later(world: World) -> None:
    with pytest.raises(ServiceUnavailable, match=r"did not answer within 0\.01 s"):
        control.start_detached(replace(world.settings, start_timeout_s=0.01))
    assert alive_in(world.paths.home) == []
    assert control.start_detached(world.settings).running


def test_status_of_a_workspace_that_never_was_creates_nothing(tmp_path: Path, world: World) -> None:
    elsewhere = replace(world.settings, home=tmp_path / "nowhere")
    assert not control.status(elsewhere).running
    assert not elsewhere.home.exists()


@on_day(2, DAYS)
def test_stopping_ends_all_and_starting_again_goes_on(world: World) -> None:
    world.add_endpoint("bank")
    job_id = world.submit("fake:each_s=0.1", trials=10_000)
    world.start_service()
    worker, server = world.worker(job_id), world.server("bank")
    wait_until(lambda: len(world.store.trials.list(job_id)) > 2, 10)
    assert not control.stop(world.settings).running
    assert not living(worker)
    assert not living(server)
    assert world.job(job_id).state is JobState.RUNNING
    assert world.endpoint("bank").state is EndpointState.STOPPED
    world.enough(job_id)
    world.start_service()
    wait_until(lambda: world.job(job_id).state is JobState.SUCCEEDED, 20)
    wait_until(lambda: world.endpoint("bank").state is EndpointState.READY, 20)
    assert world.job(job_id).attempt == 2


def test_what_a_killed_process_left_half_written_is_removed_but_not_what_is_being_written(world: World) -> None:
    old, new = world.paths.incoming / "old", world.paths.incoming / "new"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "table.parquet").write_text("half")
    os.utime(old, (0, 0))
    world.start_service()
    assert not old.exists()
    assert new.exists()


def test_a_service_whose_folder_was_removed_ends_and_leaves_the_next_one_alone(world: World) -> None:
    service = world.start_service()
    world.paths.service_lock.rename(world.paths.home / "removed.lock")
    wait_until(lambda: not living(service), 10)
    assert "was removed or replaced; ending" in world.paths.service_log.read_text()


def get(world: World, path: str, key: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", int(world.store.facts.get("service_port")), timeout=5)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        return connection.getresponse().status
    finally:
        connection.close()
