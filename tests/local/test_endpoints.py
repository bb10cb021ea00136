"""Endpoints changed by several people at once: nothing acknowledged is lost, nothing revoked returns."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from local_world import SIGNATURE, World

from core.cli.command import Context
from core.cli.main import main
from core.domain.endpoint import Deployment, DeploymentSpec, Endpoint, EndpointLimits, EndpointSpec, GateState
from core.domain.errors import Conflict, EndpointNotFound, GateRefused, PortInUse, SlipwayError, SpecInvalid
from core.domain.job import JobKind, JobState
from core.domain.model import Model
from core.domain.proof import CheckResult, GateReport, LoadSpec, Target
from core.local import context as local
from core.local.collections.endpoints import LocalEndpoints
from core.local.paths import new_id
from core.local.store import transactions
from core.local.workspace import open_local
from core.workspace import Workspace
from core.workspace.service import Service

ROUNDS = 20


@pytest.fixture
def workspace(world: World) -> Workspace:
    """A workspace with one model, `good:1`."""
    world.store.models.add(Model("good", 0, new_id(), 0, "Fake", {}, world.data.ref, SIGNATURE, 1, 1.0))
    return open_local(world.settings)


def at_once(*acts: Callable[[], object]) -> None:
    """All of them in the same moment; what they refuse is theirs to refuse."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        start.wait()
        with suppress(SlipwayError):
            act()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def judge(world: World, job_id: str, passed: bool | None) -> None:
    """Let a gate end with this verdict."""
    spec = world.store.jobs.start_attempt(job_id, 1.0).spec
    check = CheckResult("parity", "parity", passed, "measured", no_verdict=passed is None)
    now = world.job(job_id).created_at + 1
    report = GateReport(new_id(), spec.endpoint, spec.deployment, "good:1", (check,), BUDGET, "default", now, 1.0)
    transactions.end_gate(world.store, job_id, report, now)


BUDGET = DeploymentSpec("an-endpoint", "good").budget


def test_both_keys_rotated_at_once_are_both_new(workspace: Workspace) -> None:
    workspace.endpoints.create(EndpointSpec("an-endpoint"))
    for _ in range(ROUNDS):
        before = workspace.endpoints.keys("an-endpoint")
        at_once(
            *(
                lambda which=which: workspace.endpoints.rotate_key("an-endpoint", which)
                for which in ("primary", "secondary")
            )
        )
        after = workspace.endpoints.keys("an-endpoint")
        assert not {after.primary, after.secondary} & {before.primary, before.secondary}


def test_limits_changed_at_once_are_all_changed_and_no_others(workspace: Workspace) -> None:
    before = workspace.endpoints.create(EndpointSpec("an-endpoint", limits=EndpointLimits(idle_timeout_s=60))).limits
    for number in range(1, ROUNDS):
        wanted = {"max_rows": number, "max_concurrent": number, "cors_origins": (f"https://{number}.example",)}
        at_once(*(lambda one={k: v}: workspace.endpoints.update("an-endpoint", one) for k, v in wanted.items()))
        assert workspace.endpoints.get("an-endpoint").limits == replace(before, **wanted)


def test_two_command_lines_that_change_one_limit_each_change_both(world: World, workspace: Workspace) -> None:
    """One of them is slow: it has read the limits of before when the other writes its own."""
    workspace.endpoints.create(EndpointSpec("an-endpoint"))

    class Slow(LocalEndpoints):
        def update(self, name: str, changes: Any) -> Endpoint:
            workspace.endpoints.update(name, {"max_rows": 7})
            return super().update(name, changes)

    slow = Slow(local.Context(world.settings))

    class Here(Context):
        workspace = replace(open_local(world.settings), endpoints=slow, service=Service())

    assert main(["endpoint", "update", "an-endpoint", "--workers", "2"], lambda _: Here(world.settings)) == 0
    limits = workspace.endpoints.get("an-endpoint").limits
    assert (limits.max_rows, limits.workers) == (7, 2)


@pytest.mark.parametrize(("changes", "said"), [({"rows": 1}, "no limit 'rows'"), ({"max_rows": 0}, "max_rows")])
def test_a_change_that_makes_no_sense_is_refused_and_changes_nothing(
    workspace: Workspace, changes: dict[str, int], said: str
) -> None:
    workspace.endpoints.create(EndpointSpec("an-endpoint"))
    with pytest.raises(SpecInvalid, match=said):
        workspace.endpoints.update("an-endpoint", {"workers": 2, **changes})
    assert workspace.endpoints.get("an-endpoint").limits == EndpointLimits()


def test_an_endpoint_that_is_being_deleted_takes_no_change(workspace: Workspace) -> None:
    deployment = workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good"))
    workspace.endpoints.delete("an-endpoint")
    for change in (
        lambda: workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good", name="v2")),
        lambda: workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good")),
        lambda: workspace.endpoints.create(EndpointSpec("an-endpoint")),
        lambda: workspace.endpoints.update("an-endpoint", {"max_rows": 5}),
        lambda: workspace.endpoints.rotate_key("an-endpoint", "primary"),
        lambda: workspace.endpoints.set_traffic("an-endpoint", {deployment.name: 0}),
        lambda: workspace.proofs.run_gate("an-endpoint"),
    ):
        with pytest.raises(Conflict, match="'an-endpoint' is being deleted") as refused:
            change()
        assert "again" in refused.value.hint
    workspace.endpoints.delete("an-endpoint")  # twice is as once


def test_a_deployment_that_is_acknowledged_while_the_endpoint_goes_is_there(world: World, workspace: Workspace) -> None:
    for _ in range(ROUNDS):
        workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good", name="old"))
        workspace.endpoints.delete("an-endpoint")
        acknowledged: list[Deployment] = []
        at_once(
            lambda: world.store.endpoints.drop("an-endpoint"),  # the service's part
            lambda a=acknowledged: a.append(
                workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good", name="new"))
            ),
        )
        kept = [d.name for endpoint in workspace.endpoints.list() for d in endpoint.deployments]
        assert kept == [deployment.name for deployment in acknowledged]
        if acknowledged:
            workspace.endpoints.delete("an-endpoint")
            world.store.endpoints.drop("an-endpoint")


def test_a_deployment_to_an_endpoint_that_vanished_meanwhile_leaves_nothing_behind(
    world: World, workspace: Workspace
) -> None:
    with pytest.raises(EndpointNotFound, match="an-endpoint"):
        world.deploy("an-endpoint", folder="other")
    assert world.store.jobs.list(JobKind.GATE) == ()
    workspace.endpoints.create(EndpointSpec("an-endpoint"))
    assert workspace.endpoints.get("an-endpoint").deployments == ()


# Gates and traffic


def test_the_gate_that_comes_with_the_first_deployment_lets_it_live(world: World, workspace: Workspace) -> None:
    first = workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good"))
    judge(world, first.gate_job_id, True)
    assert workspace.endpoints.get("an-endpoint").traffic == {"v1": 100}
    second = workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good", name="v2"))
    judge(world, second.gate_job_id, True)
    assert workspace.endpoints.get("an-endpoint").traffic == {"v1": 100}


def test_proving_a_withdrawn_deployment_anew_leaves_it_withdrawn(world: World, workspace: Workspace) -> None:
    judge(world, workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good")).gate_job_id, True)
    workspace.endpoints.set_traffic("an-endpoint", {"v1": 0})
    judge(world, workspace.proofs.run_gate("an-endpoint").id, True)
    assert workspace.endpoints.get("an-endpoint").traffic == {"v1": 0}
    judge(world, workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good", name="v2")).gate_job_id, True)
    assert workspace.endpoints.get("an-endpoint").traffic == {"v1": 0}


def test_a_gate_that_was_asked_for_later_gives_no_traffic(world: World, workspace: Workspace) -> None:
    judge(world, workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good")).gate_job_id, None)
    judge(world, workspace.proofs.run_gate("an-endpoint").id, True)
    assert workspace.endpoints.get("an-endpoint").traffic == {}
    assert workspace.endpoints.set_traffic("an-endpoint", {"v1": 100}).traffic == {"v1": 100}


def test_a_first_gate_opens_the_endpoint_though_another_was_queued_behind_it(
    world: World, workspace: Workspace
) -> None:
    first = workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good"))
    again = workspace.proofs.run_gate("an-endpoint")
    judge(world, first.gate_job_id, True)
    assert workspace.endpoints.get("an-endpoint").traffic == {"v1": 100}
    assert workspace.endpoints.get("an-endpoint").deployments[0].gate_job_id == again.id


@pytest.mark.parametrize("ended", ["queued", "running", "no verdict", "canceled", "failed to run"])
def test_the_last_verdict_stands_until_there_is_another(world: World, workspace: Workspace, ended: str) -> None:
    judge(world, workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good")).gate_job_id, True)
    workspace.endpoints.set_traffic("an-endpoint", {"v1": 0})
    again = workspace.proofs.run_gate("an-endpoint").id
    if ended == "no verdict":
        judge(world, again, None)
    elif ended == "canceled":
        workspace.jobs.cancel(again)
    elif ended != "queued":
        world.store.jobs.start_attempt(again, 2.0)
    if ended == "failed to run":
        world.store.jobs.end(again, JobState.FAILED, 3.0, message="no port")
    (deployment,) = workspace.endpoints.get("an-endpoint").deployments
    assert (deployment.proven, deployment.gate is GateState.PASSED) == (True, False)
    assert workspace.endpoints.set_traffic("an-endpoint", {"v1": 100}).traffic == {"v1": 100}


def test_a_later_verdict_that_fails_counts(world: World, workspace: Workspace) -> None:
    judge(world, workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good")).gate_job_id, True)
    workspace.endpoints.set_traffic("an-endpoint", {"v1": 0})
    judge(world, workspace.proofs.run_gate("an-endpoint").id, False)
    judge(world, workspace.proofs.run_gate("an-endpoint").id, None)
    with pytest.raises(GateRefused, match="'v1'"):
        workspace.endpoints.set_traffic("an-endpoint", {"v1": 100})
    judge(world, workspace.proofs.run_gate("an-endpoint").id, True)
    assert workspace.endpoints.set_traffic("an-endpoint", {"v1": 100}).traffic == {"v1": 100}


def test_a_gate_of_a_deleted_deployment_proves_nothing_of_a_later_one_with_its_name(
    world: World, workspace: Workspace
) -> None:
    workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good"))
    of_the_old = workspace.proofs.run_gate("an-endpoint").id
    workspace.endpoints.delete_deployment("an-endpoint", "v1")
    workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good"))
    judge(world, of_the_old, True)
    with pytest.raises(GateRefused):
        workspace.endpoints.set_traffic("an-endpoint", {"v1": 100})
    assert workspace.endpoints.get("an-endpoint").traffic == {}


@pytest.mark.parametrize(("traffic", "mirror"), [({}, {"ghost": 10}), ({"ghost": 0}, None), ({"v1": 0}, {"ghost": 0})])
def test_every_name_in_a_traffic_map_and_a_mirror_is_a_deployments(
    workspace: Workspace, traffic: dict[str, int], mirror: dict[str, int] | None
) -> None:
    workspace.endpoints.deploy(DeploymentSpec("an-endpoint", "good"))
    with pytest.raises(EndpointNotFound, match="no deployment 'ghost'") as refused:
        workspace.endpoints.set_traffic("an-endpoint", traffic, mirror)
    assert "v1" in refused.value.hint
    assert workspace.endpoints.get("an-endpoint").mirror == {}


@pytest.mark.parametrize("url", ["http://127.0.0.1:1800", "http://127.0.0.1:18001@evil.example", "http://127.0.0.1"])
def test_a_load_goes_to_the_very_address_of_an_endpoint(world: World, workspace: Workspace, url: str) -> None:
    world.add_endpoint("bank", 18_001)
    with pytest.raises(SpecInvalid, match="No endpoint of this workspace has the address"):
        workspace.jobs.submit(LoadSpec(Target(url)))
    job = workspace.jobs.submit(LoadSpec(Target("http://127.0.0.1:18001/score", "secret")))
    assert (job.spec.target.url, job.spec.target.key) == ("http://127.0.0.1:18001", "")


def test_a_port_in_use_is_refused(workspace: Workspace) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=str(port)):
            workspace.endpoints.create(EndpointSpec("an-endpoint", f"127.0.0.1:{port}"))


@pytest.mark.parametrize("address", ["192.0.2.1:8000", "localhost", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:x"])
def test_an_address_of_another_machine_and_none_are_refused(workspace: Workspace, address: str) -> None:
    with pytest.raises(SpecInvalid, match=address.partition(":")[0]):
        workspace.endpoints.create(EndpointSpec("an-endpoint", address))
