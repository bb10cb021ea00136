"""What Slipway itself sends to an endpoint is counted apart from what clients send, by keys that no client gets."""

import json
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from local_world import SIGNATURE, World
from serving_fakes import write_model
from waiting import wait_until

from core.cli.command import Context
from core.cli.proof import target_of
from core.domain.batch import BatchSpec
from core.domain.endpoint import DeploymentSpec, EndpointState
from core.domain.job import Job, JobKind, JobState
from core.domain.model import Model
from core.domain.monitoring import Origin
from core.domain.proof import GateSpec, LoadSpec, Target
from core.local import origins
from core.local.paths import new_id
from core.local.service.servers import Supervisor
from core.local.store import transactions
from core.local.workspace import open_local

BODY = b'{"data":[{"age":40}]}'
OURS = sorted(set(Origin) - {Origin.CLIENT})


def test_each_endpoint_and_each_origin_has_a_key_of_its_own_that_no_rotation_changes(world: World) -> None:
    for name in ("one", "other"):
        world.add_endpoint(name)
    before = {name: dict(origins.keys_of(world.store, name)) for name in ("one", "other")}
    every = [key for keys in before.values() for key in keys.values()]
    assert len(set(every)) == len(every) == 2 * len(OURS)
    assert all(len(key) == 43 for key in every)

    workspace = open_local(world.settings)
    for which in ("primary", "secondary"):
        workspace.endpoints.rotate_key("one", which)
    assert {name: dict(origins.keys_of(world.store, name)) for name in ("one", "other")} == before
    shown = workspace.endpoints.keys("one")
    assert not {shown.primary, shown.secondary} & set(every)
    assert every[0] not in repr(workspace.endpoints.target("one", OURS[0]))


def test_the_file_of_an_older_slipway_is_written_anew_for_its_running_server(world: World) -> None:
    world.add_endpoint("bank")
    world.supervisor().tick()
    path = world.paths.endpoint_file("bank")
    old = json.loads(path.read_bytes())
    del old["origins"]
    path.write_text(json.dumps(old))
    world.supervisor().tick()
    assert sorted(json.loads(path.read_bytes())["origins"].values()) == OURS


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    """A workspace whose endpoint `bank` is served by the real server, with all traffic."""
    world = World(tmp_path / "workspace")
    world.add_endpoint("bank")
    model = world.store.models.add(Model("m", 0, new_id(), 0, "Linear", {}, world.data.ref, SIGNATURE, 1, time.time()))
    write_model(world.paths.model(model.name, model.job_id, model.trial), SIGNATURE)
    spec = DeploymentSpec("bank", model.name, model.version, "v1")
    gate = Job(new_id(), JobKind.GATE, JobState.QUEUED, "gate", "proof", GateSpec("bank", "v1"), time.time())
    transactions.deploy(world.store, spec, gate, time.time(), create=None)
    world.store.endpoints.set_traffic("bank", {"v1": 100}, None, time.time(), forced_by="test")
    supervisor = Supervisor(world.store, world.settings)

    def ready() -> bool:
        supervisor.tick()
        seen = world.endpoint("bank")
        return seen.state is EndpointState.READY and seen.settled

    wait_until(ready, 30)
    yield world
    world.close()


@pytest.mark.contract("T5")
def test_what_jobs_and_the_app_send_is_never_among_the_clients_figures(served: World, tmp_path: Path) -> None:
    workspace, url = open_local(served.settings), served.endpoint("bank").scoring_uri
    table = tmp_path / "ages.csv"
    table.write_text("age\n" + "\n".join(str(20 + n) for n in range(7)))
    workspace.data.register("ages", str(table))
    batch = workspace.jobs.submit(BatchSpec("bank", "ages"))
    load = workspace.jobs.submit(LoadSpec(Target(url.removesuffix("/score")), duration_s=0.3, warmup_s=0.0))
    for job in (batch, load):
        assert served.run_here(job.id).state is JobState.SUCCEEDED
    for origin in (Origin.APP, Origin.SHADOW, Origin.CLIENT):
        assert workspace.endpoints.invoke("bank", BODY, origin=origin).status == 200
    claim = {"Authorization": f"Bearer {workspace.endpoints.keys('bank').primary}", "x-slipway-origin": "batch"}
    assert httpx.post(url, content=BODY, headers={"Content-Type": "application/json", **claim}).status_code == 200

    wait_until(lambda: workspace.records.telemetry("bank", origin=Origin.CLIENT).requests == 2, 10)
    sent = {origin: workspace.records.telemetry("bank", origin=origin).requests for origin in Origin}
    assert (sent[Origin.APP], sent[Origin.SHADOW], sent[Origin.GATE], sent[Origin.BATCH]) == (1, 1, 0, 1)
    assert (
        workspace.records.telemetry("bank", origin=Origin.BATCH).rows == workspace.jobs.get(batch.id).result.rows == 7
    )
    assert sent[Origin.LOADTEST] >= 10
    assert workspace.records.telemetry("bank").requests == 2
    assert [record.origin for record in workspace.records.requests("bank")] == ["client"] * 2
    assert [record.origin for record in workspace.records.requests("bank", origin=Origin.BATCH)] == ["batch"]
    assert workspace.records.telemetry("bank", origin=None).requests == sum(sent.values())


@pytest.mark.parametrize("origin", [Origin.LOADTEST, Origin.GATE])
def test_checks_and_loads_from_the_command_line_take_the_key_of_their_origin(world: World, origin: Origin) -> None:
    world.add_endpoint("bank")
    options = Namespace(url=world.endpoint("bank").scoring_uri, key_file=None)
    ours = origins.key_of(world.store, "bank", origin)
    assert target_of(Context(world.settings, {}), options, origin).key == ours
    assert target_of(Context(world.settings, {"SLIPWAY_KEY": "a-person's"}), options, origin).key == "a-person's"
