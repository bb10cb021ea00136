"""Scoring servers: started, told of changes, adopted, restarted, stopped. The servers are processes that only live."""

import hashlib
import json
import os
import signal
import socket

import pytest
from local_world import FAKE_SERVER, World, kill, living, ticking
from waiting import wait_until

from core.domain.endpoint import DeploymentState, EndpointState
from core.local.machine import ports
from core.local.machine.processes import Process
from core.local.service import rolling
from core.local.service.servers import Supervisor


def until_state(world: World, supervisor: Supervisor, name: str, *states: EndpointState) -> Process | None:
    wait_until(ticking(supervisor.tick, lambda: world.endpoint(name).state in states), 20)
    return world.store.endpoints.server(name)


def ready(world: World, supervisor: Supervisor, name: str = "bank") -> Process:
    server = until_state(world, supervisor, name, EndpointState.READY)
    assert server is not None
    return server


def endpoint_file(world: World, name: str = "bank") -> dict[str, object]:
    return json.loads(world.paths.endpoint_file(name).read_bytes())


def test_an_endpoint_gets_a_server_on_its_port(world: World) -> None:
    port = world.add_endpoint("bank")
    server = ready(world, world.supervisor())
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        assert living(server)


def test_the_server_is_told_everything_but_the_keys(world: World) -> None:
    port = world.add_endpoint("bank")
    world.deploy("bank")
    ready(world, world.supervisor())
    told = endpoint_file(world)
    assert (told["port"], told["endpoint"], told["traffic"]) == (port, "bank", {})
    clients = [hashlib.sha256(key.encode()).hexdigest() for key in ("k1", "k2")]
    assert told["key_digests"] == [*clients, *told["origins"]]
    assert sorted(told["origins"].values()) == ["app", "batch", "gate", "loadtest", "shadow"]
    model = world.store.models.get("good")
    assert told["deployments"]["v1"]["folder"] == str(world.paths.model("good", model.job_id, model.trial))
    assert world.paths.endpoint_file("bank").stat().st_mode & 0o077 == 0


def test_a_change_reaches_the_server_without_a_restart(world: World) -> None:
    world.add_endpoint("bank")
    supervisor = world.supervisor()
    server = ready(world, supervisor)
    world.deploy("bank")
    look = ticking(supervisor.tick, lambda: world.endpoint("bank").deployments[0].state is DeploymentState.READY)
    wait_until(look, 10)
    world.store.endpoints.set_key("bank", "primary", "new")
    wait_until(ticking(supervisor.tick, lambda: hashlib.sha256(b"new").hexdigest() in str(endpoint_file(world))), 10)
    assert ready(world, supervisor) == server
    assert world.endpoint("bank").restarts == 0


def test_one_broken_deployment_degrades_its_endpoint_and_says_why(world: World) -> None:
    world.add_endpoint("bank")
    world.deploy("bank", "v1", "good")
    world.deploy("bank", "v2", "broken")
    until_state(world, world.supervisor(), "bank", EndpointState.DEGRADED)
    good, broken = world.endpoint("bank").deployments
    assert (good.state, broken.state) == (DeploymentState.READY, DeploymentState.FAILED)
    assert broken.error == "ModelUnreadable: broken"
    assert "v2" in world.endpoint("bank").error


def test_a_killed_server_is_started_again(world: World) -> None:
    world.add_endpoint("bank")
    supervisor = world.supervisor()
    before = ready(world, supervisor)
    kill(before)
    until_state(world, supervisor, "bank", EndpointState.STARTING)
    after = ready(world, supervisor)
    assert after.pid != before.pid
    assert world.endpoint("bank").restarts == 1


def test_a_server_that_always_dies_fails_with_its_last_words_and_is_still_tried(world: World) -> None:
    world.add_endpoint("bank")
    world.deploy("bank", "v1", "deadly")
    supervisor = world.supervisor()
    until_state(world, supervisor, "bank", EndpointState.FAILED)
    endpoint = world.endpoint("bank")
    assert endpoint.restarts >= 5
    assert "ValueError: a deadly model" in endpoint.error


def test_a_dying_server_does_not_hold_up_another(world: World) -> None:
    world.add_endpoint("deadly")
    world.deploy("deadly", "v1", "deadly")
    world.add_endpoint("bank")
    ready(world, world.supervisor())


def test_a_new_service_adopts_the_servers_of_the_last(world: World) -> None:
    world.add_endpoint("bank")
    server = ready(world, world.supervisor())
    later = world.supervisor()
    later.tick()
    assert world.store.endpoints.server("bank") == server
    world.deploy("bank")
    wait_until(ticking(later.tick, lambda: world.endpoint("bank").deployments[0].state is DeploymentState.READY), 10)
    assert living(server)


def test_a_server_from_before_the_folder_was_moved_gives_way_to_one_that_hears_us(world: World) -> None:
    world.add_endpoint("bank")
    world.deploy("bank")
    before = ready(world, world.supervisor())
    world.move(world.paths.home.with_name("moved"))
    supervisor = world.supervisor()
    wait_until(ticking(supervisor.tick, lambda: not living(before)), 20)
    after = ready(world, supervisor)
    assert living(after)
    assert after != before
    assert endpoint_file(world)["telemetry_dir"] == str(world.paths.telemetry("bank"))
    assert world.endpoint("bank").restarts == 0


def test_a_server_is_adopted_under_another_spelling_of_the_folder(world: World) -> None:
    world.add_endpoint("bank")
    server = ready(world, world.supervisor())
    other = world.paths.home.with_name("link")
    other.symlink_to(world.paths.home)
    world.open(other)
    assert ready(world, world.supervisor()) == server


def test_a_server_whose_number_was_never_noted_is_found_and_not_doubled(world: World) -> None:
    world.add_endpoint("bank")
    server = ready(world, world.supervisor())
    world.store.endpoints.observe("bank", EndpointState.STARTING)  # as before the service could note its number
    assert world.store.endpoints.server("bank") is None
    assert ready(world, world.supervisor()) == server


def test_a_taken_port_fails_the_endpoint_until_it_is_free(world: World) -> None:
    with ports.listen(0, "a stranger") as stranger:
        port = world.add_endpoint("bank", stranger.getsockname()[1])
        supervisor = world.supervisor()
        until_state(world, supervisor, "bank", EndpointState.FAILED)
        assert f"Port {port}, which belongs to endpoint 'bank', is used" in world.endpoint("bank").error
    ready(world, supervisor)
    assert world.endpoint("bank").error == ""
    assert ports.port_of(world.endpoint("bank").scoring_uri) == port


def test_a_deleted_endpoint_leaves_no_process_no_file_and_no_row(world: World) -> None:
    world.add_endpoint("bank")
    world.deploy("bank")
    supervisor = world.supervisor()
    server = ready(world, supervisor)
    world.store.endpoints.mark_deleting("bank")
    wait_until(ticking(supervisor.tick, lambda: not world.store.endpoints.list()), 10)
    assert not living(server)
    assert not world.paths.endpoint("bank").exists()


def test_an_orderly_stop_ends_the_servers_and_the_next_start_brings_them_back(world: World) -> None:
    port = world.add_endpoint("bank")
    supervisor = world.supervisor()
    server = ready(world, supervisor)
    supervisor.stop()
    assert not living(server)
    assert world.endpoint("bank").state is EndpointState.STOPPED
    ready(world, world.supervisor())
    assert ports.port_of(world.endpoint("bank").scoring_uri) == port


def test_a_server_that_says_nothing_is_ended_and_tried_again(world: World) -> None:
    world.add_endpoint("bank")
    now = [0.0]
    supervisor = world.supervisor(clock=lambda: now[0])
    before = ready(world, supervisor)
    os.kill(before.pid, signal.SIGSTOP)
    world.paths.status_file("bank").unlink()
    supervisor.tick()
    now[0] = 1000.0
    supervisor.tick()
    os.kill(before.pid, signal.SIGCONT)

    def look() -> bool:
        now[0] += 1.0
        supervisor.tick()
        server = world.store.endpoints.server("bank")
        return server is not None and server != before and world.endpoint("bank").state is EndpointState.READY

    wait_until(look, 20)


def of_format(number: int) -> tuple[str, ...]:
    """A server of an older Slipway."""
    return (*FAKE_SERVER, "--format", str(number))


def test_a_server_of_a_slipway_before_formats_were_told_goes_on_while_it_reads_ours(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rolling, "FORMAT", 1)
    world.add_endpoint("bank")
    world.deploy("bank")
    old = ready(world, world.supervisor(server=of_format(0)))
    later = world.supervisor()
    for _ in range(5):
        later.tick()
    assert living(old)
    assert (world.store.endpoints.server("bank"), world.endpoint("bank").restarts) == (old, 0)


def test_a_server_that_tells_no_format_is_ended_in_order_and_another_started_when_ours_is_newer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_endpoint("bank")
    world.deploy("bank")
    old = ready(world, world.supervisor(server=of_format(0)))
    monkeypatch.setattr(rolling, "FORMAT", 3)
    later = world.supervisor()
    wait_until(ticking(later.tick, lambda: world.store.endpoints.server("bank") not in (old, None)), 20)
    assert not living(old)
    new = ready(world, later)
    assert (world.store.endpoints.server("bank"), world.endpoint("bank").state) == (new, EndpointState.READY)
    assert (world.endpoint("bank").restarts, world.endpoint("bank").error) == (0, ""), "it did not die"


def test_a_server_that_we_started_is_not_ended_for_its_format_again_and_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rolling, "FORMAT", 3)
    world.add_endpoint("bank")
    supervisor = world.supervisor(server=of_format(0))
    server = ready(world, supervisor)
    for _ in range(5):
        supervisor.tick()
    assert world.store.endpoints.server("bank") == server
    assert living(server)


def test_a_server_that_tells_an_older_format_gets_new_workers_and_lives_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_endpoint("bank")
    server = ready(world, world.supervisor(server=of_format(1)))
    monkeypatch.setattr(rolling, "FORMAT", 3)
    now, told = [0.0], lambda: json.loads(world.paths.status_file("bank").read_bytes())["format"]
    later = world.supervisor(clock=lambda: now[0])
    wait_until(ticking(later.tick, lambda: told() == 2), 10)
    for _ in range(20):
        later.tick()
    assert told() == 2, "it is asked again only when it had the time to start"
    now[0] = world.settings.start_timeout_s
    wait_until(ticking(later.tick, lambda: told() == 3), 10)
    assert (world.store.endpoints.server("bank"), world.endpoint("bank").state) == (server, EndpointState.READY)
    assert living(server)
