"""What goes wrong in Azure while a verb is at it: one sentence and a way out, nothing half made, and later it works."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import emulating
import living
import pytest
from azure_models import model_folder
from waiting import wait_until

from core.azure.collections import endpoints as endpoint_verbs
from core.azure.workspace import open_azure
from core.domain.endpoint import DeploymentSpec, DeploymentState, EndpointSpec
from core.domain.errors import ServiceUnavailable, SlipwayError
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind
from core.domain.schedule import ScheduleSpec
from core.domain.training import TrainingSpec
from core.emulator.faults import ASKED, Fault, Faults, of_folder
from core.workspace import Workspace

SENTENCE_CHARS_MAX = 700
"""Azure's own words are inside."""
ANSI = "\x1b"


@dataclass
class World:
    """An emulation, a workspace over it, and the faults that it has."""

    running: emulating.Running
    workspace: Workspace
    faults: Faults
    folder: Path
    number: int = field(default=0)

    def next_name(self) -> str:
        self.number += 1
        return f"thing-{self.number}x"

    def documents(self) -> set[str]:
        """All that stands in the emulated workspace and would be found there later."""
        path = f"{self.running.emulation.names.workspace_path}/"
        state = self.running.emulation.state
        return {key for key, _ in state.below(path) if LASTING.search(key)}

    def left_here(self) -> list[str]:
        """What is half made on this machine."""
        found = (self.workspace.settings.home / "azure").rglob(".*")
        return [str(each) for each in found if not each.name.startswith(".profile")]


LASTING = re.compile(r"/(data|models)/[^/]+/versions/|/(onlineEndpoints|batchEndpoints|schedules|jobs)/", re.IGNORECASE)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("faults")
    with emulating.emulation(home / "emulated", emulating.NOBODY_WORKS) as running:
        workspace = open_azure(emulating.client_settings(home / "client"))
        made = World(running, workspace, of_folder(running.emulation.folder), home)
        path = home / "people.csv"
        path.write_text("age,bought\n" + "".join(f"{n % 50},{('no', 'yes')[n % 3 == 0]}\n" for n in range(80)))
        workspace.data.register("people", str(path))
        workspace.models.import_folder("flat", model_folder(home / "flat"))
        workspace.pipelines.publish(hello("ready"))
        workspace.endpoints.create(EndpointSpec("ready-made"))
        yield made
    living.close(home / "emulated")


def hello(name: str) -> PipelineSpec:
    return PipelineSpec(name, (PipelineStep("hello", StepKind.COMMAND, (), {"command": ["true"]}),))


def register(world: World, name: str) -> Any:
    path = world.folder / f"{name}.csv"
    path.write_text("a,b\n" + "".join(f"{n},{name}\n" for n in range(5)))
    return world.workspace.data.register(name, str(path))


def train(world: World, name: str) -> Any:
    ref = world.workspace.data.list()[-1].ref
    return world.workspace.jobs.submit(TrainingSpec(ref, "bought", experiment_name=name))


def take_in(world: World, name: str) -> Any:
    folder = world.folder / name
    if not folder.exists():
        model_folder(folder, members=world.number + 1)
    return world.workspace.models.import_folder(name, folder)


VERBS: dict[str, tuple[Callable[[World, str], Any], str]] = {
    "data.register": (register, "/data/"),
    "jobs.submit": (train, "/jobs/"),
    "models.import": (take_in, "/models/"),
    "endpoints.create": (lambda world, name: world.workspace.endpoints.create(EndpointSpec(name)), "/onlineEndpoints/"),
    "endpoints.deploy": (
        lambda world, name: world.workspace.endpoints.deploy(DeploymentSpec(name, "flat")),
        "/deployments/",
    ),
    "endpoints.set_traffic": (
        lambda world, name: world.workspace.endpoints.set_traffic("ready-made", {}),
        "/onlineEndpoints/ready-made",
    ),
    "pipelines.publish": (lambda world, name: world.workspace.pipelines.publish(hello(name)), "/batchEndpoints/"),
    "pipelines.trigger": (lambda world, name: world.workspace.pipelines.trigger("ready", name), "/jobs"),
    "schedules.create": (
        lambda world, name: world.workspace.schedules.create(ScheduleSpec(name, "ready", "0 6 * * *")),
        "/schedules/",
    ),
}
REFUSALS = ("unauthorized", "expired-token", "forbidden", "conflict", "throttled", "server-error", "dropped")


@pytest.fixture(autouse=True)
def quick(world: World, monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(endpoint_verbs.gates, "queue", lambda context, spec: None)
    yield
    world.faults.clear()


def check_said(error: SlipwayError) -> None:
    """One sentence that a person reads, and a way out."""
    said = f"{error.message}\n{error.hint}"
    assert error.hint, said
    assert len(said) < SENTENCE_CHARS_MAX, said
    assert ANSI not in said, said
    assert "\n" not in error.message.strip(), said
    assert "Traceback" not in said, said


def check_refused(world: World, verb: str, fault: Fault) -> None:
    """A verb that meets a fault says so and leaves nothing; without it, the same does what it does."""
    name, before = world.next_name(), world.documents()
    world.faults.add(fault)
    with pytest.raises(SlipwayError) as refused:
        VERBS[verb][0](world, name)
    check_said(refused.value)
    wait_until(lambda: world.documents() == before, 10)  # what is taken back takes a moment to go
    assert world.left_here() == []
    world.faults.clear()
    assert VERBS[verb][0](world, name)


def of_requests(kind: str, verb: str) -> Fault:
    method = "POST" if verb == "pipelines.trigger" else "PUT"
    return Fault(kind, method, VERBS[verb][1], times=0, seconds=0.02)


QUICK = dict(zip(VERBS, cycle(REFUSALS))) | {"pipelines.publish": "forbidden", "pipelines.trigger": "dropped"}
"""One refusal for each verb. After a lost connection the SDK waits seconds before it asks again: that is in `full`."""


@pytest.mark.parametrize(("verb", "kind"), QUICK.items())
def test_a_refusal_leaves_nothing_half_made_and_the_same_works_later(world: World, verb: str, kind: str) -> None:
    check_refused(world, verb, of_requests(kind, verb))


@pytest.mark.full
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", REFUSALS)
def test_every_refusal_of_every_verb_leaves_nothing(world: World, verb: str, kind: str) -> None:
    check_refused(world, verb, of_requests(kind, verb))


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("endpoints.create", "/onlineEndpoints/"),
        pytest.param("pipelines.publish", "/batchEndpoints/", marks=pytest.mark.full),
        ("pipelines.publish", "/batchEndpoints/*/deployments/*"),
        ("schedules.create", "/schedules/"),
    ],
)
def test_what_azure_begins_and_fails_to_make_is_taken_back(world: World, verb: str, path: str) -> None:
    pattern = f"*{path.lower()}" if "*" in path else path
    check_refused(world, verb, Fault("failed-operation", "PUT", pattern, times=1))


def test_a_quota_that_is_used_up_is_named_and_no_endpoint_stays(world: World) -> None:
    check_refused(world, "endpoints.deploy", Fault("quota", times=0))


def test_a_schedule_of_somebody_else_is_not_overwritten_also_when_azure_fails_to_show_it(world: World) -> None:
    name = world.next_name()
    world.workspace.schedules.create(ScheduleSpec(name, "ready", "0 6 * * *"))
    before = world.workspace.schedules.get(name).spec
    world.faults.add(Fault("server-error", "GET", f"/schedules/{name}", times=0, seconds=0.02))
    with pytest.raises(ServiceUnavailable):
        world.workspace.schedules.create(ScheduleSpec(name, "ready", "0 7 * * *"))
    world.faults.clear()
    assert world.workspace.schedules.get(name).spec == before


def test_what_is_asked_again_is_found_when_azure_has_trouble_once(world: World) -> None:
    for kind in ("server-error", "throttled", "dropped"):
        world.faults.add(Fault(kind, "GET", "/batchEndpoints", times=1, seconds=0))
        assert world.workspace.pipelines.get("ready")


def test_an_answer_of_another_form_is_told_as_one(world: World) -> None:
    world.faults.add(Fault("wrong-type", "GET", "/batchEndpoints/", times=0))
    with suppress(SlipwayError) as _:
        world.workspace.pipelines.list()
    world.faults.clear()
    world.faults.add(Fault("wrong-type", "GET", "/onlineEndpoints/ready-made", times=0))
    with pytest.raises(SlipwayError) as refused:
        world.workspace.endpoints.get("ready-made")
    check_said(refused.value)


@pytest.mark.parametrize("kind", ASKED)
def test_a_deployment_that_does_not_start_tells_its_cause_and_is_deleted_as_any_other(world: World, kind: str) -> None:
    name = world.next_name()
    world.faults.add(Fault(kind, target="d-v1"))
    world.workspace.endpoints.deploy(DeploymentSpec(name, "flat"))
    failed = wait_until(lambda: failed_one(world, name), 30)
    assert any(line.text for line in world.workspace.endpoints.logs(name))
    assert failed.error
    world.workspace.endpoints.delete(name)
    wait_until(lambda: not any(f"/{name}/" in f"{key}/" for key in world.documents()), 30)


def failed_one(world: World, name: str) -> Any:
    return next((d for d in world.workspace.endpoints.get(name).deployments if d.state is DeploymentState.FAILED), None)
