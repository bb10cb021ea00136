"""The service as a process: one per workspace, its port and key, its start and stop from outside."""

import http.client
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from core.domain.endpoint import EndpointState
from core.domain.errors import PortInUse
from core.domain.job import JobState
from core.local import control, ports, processes
from local_world import FAKE_SERVICE, World, kill, living
from waiting import wait_until


def run_another(world: World) -> "subprocess.CompletedProcess[str]":
    environ = processes.environment(world.settings)
    return subprocess.run(FAKE_SERVICE, env=environ, capture_output=True, text=True, timeout=30, check=False)


def test_a_second_service_is_refused_in_one_sentence(world: World) -> None:
    service = world.start_service()
    second = run_another(world)
    assert second.returncode == 1
    last = second.stderr.strip().splitlines()[-1]
    assert last.startswith("ServiceRunning: A service runs for the workspace")
    assert "Traceback" not in second.stderr
    assert living(service)
    assert world.status_pid() == service.pid


def test_the_port_is_kept_and_a_taken_one_is_an_error_not_a_move(world: World) -> None:
    kill(world.start_service())
    port = int(world.store.fact("service_port"))
    with ports.listen(port, "a stranger"):
        second = run_another(world)
        with pytest.raises(PortInUse, match=f"Port {port}, which the service keeps, is taken"):
            control.start_detached(world.settings)
    assert second.returncode == 1
    assert f"PortInUse: Port {port}" in second.stderr
    world.start_service()
    assert control.status(world.settings).url == f"http://127.0.0.1:{port}"


def test_the_service_starts_once_and_says_so_quickly_after(world: World) -> None:
    first = control.start_detached(world.settings)
    durations = []
    for _ in range(5):
        start_s = time.perf_counter()
        assert control.start_detached(world.settings) == first
        durations.append(time.perf_counter() - start_s)
    assert first.running
    assert min(durations) < 0.1
    assert not control.stop(world.settings).running


def test_the_key_is_made_once_for_its_owner_only_and_opens_the_door(world: World) -> None:
    kill(world.start_service())
    key = world.paths.service_key.read_text()
    world.start_service()
    assert world.paths.service_key.read_text() == key
    assert len(key) >= 43
    for path in (world.paths.service_key, world.paths.store, world.paths.service_log):
        assert path.stat().st_mode & 0o077 == 0
    assert get(world, "/jobs", key) == 200
    assert get(world, "/jobs", "wrong") == 401


def test_status_of_a_workspace_that_never_was_creates_nothing(tmp_path: Path, world: World) -> None:
    from dataclasses import replace

    elsewhere = replace(world.settings, home=tmp_path / "nowhere")
    assert not control.status(elsewhere).running
    assert not elsewhere.home.exists()


def test_stopping_ends_all_and_starting_again_goes_on(world: World) -> None:
    world.add_endpoint("bank")
    job_id = world.submit("fake:each_s=0.2", trials=15)
    world.start_service()
    worker, server = world.worker(job_id), world.server("bank")
    wait_until(lambda: len(world.store.trials(job_id)) > 2, 10)
    assert not control.stop(world.settings).running
    assert not living(worker)
    assert not living(server)
    assert world.job(job_id).state is JobState.RUNNING
    assert world.endpoint("bank").state is EndpointState.STOPPED
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


def test_finished_telemetry_is_compacted(world: World) -> None:
    world.add_endpoint("bank")
    folder = world.paths.telemetry("bank")
    folder.mkdir(parents=True)
    (folder / "seg-1-999999999-1.jsonl.open").write_text('{"at": 1.0, "status": 200, "mirrored": false}\n')
    world.start_service()
    wait_until(lambda: [path.suffix for path in folder.iterdir()] == [".parquet"], 10)


def test_the_gate_of_the_first_deployment_gives_it_all_traffic(world: World) -> None:
    world.add_endpoint("bank")
    world.deploy("bank")
    world.start_service()
    wait_until(lambda: world.endpoint("bank").traffic == {"v1": 100}, 20)
    told = world.paths.endpoint_file("bank")
    wait_until(lambda: b'"traffic":{"v1":100}' in told.read_bytes(), 10)


def test_an_interrupt_from_the_keyboard_is_an_orderly_stop(world: World) -> None:
    service = world.start_service()
    os.kill(service.pid, signal.SIGINT)
    wait_until(lambda: not processes.alive(service), 10)
    assert processes.exit_code(service) == 0
    assert not control.status(world.settings).running


def get(world: World, path: str, key: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", int(world.store.fact("service_port")), timeout=5)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        return connection.getresponse().status
    finally:
        connection.close()
