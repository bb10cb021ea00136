"""What is live in a workspace of Azure ML, what it costs, and how it goes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import emulating
import living
import pytest
from waiting import wait_until

from core.azure.doctor import account
from core.azure.workspace import open_azure
from core.cli.command import Context
from core.cli.main import main
from core.domain.compute import Compute
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind
from core.domain.schedule import ScheduleSpec
from core.workspace import Workspace

SPEC = PipelineSpec("hello", (PipelineStep("hello", StepKind.COMMAND, (), {"command": ["python", "--version"]}),))


@contextmanager
def closing(home: Path) -> Iterator[None]:
    """An online endpoint has brought the service of the emulation up."""
    try:
        yield
    finally:
        living.close(home)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Iterator[Workspace]:
    home = tmp_path_factory.mktemp("live")
    with emulating.emulation(home / "emulated", emulating.NOBODY_WORKS) as running, closing(home / "emulated"):
        ml = emulating.ml_client(running)
        from azure.ai.ml.entities import AmlCompute, ManagedOnlineEndpoint

        ml.compute.begin_create_or_update(
            AmlCompute(name="theirs", size="Standard_DS3_v2", min_instances=1, max_instances=2)
        ).result()
        ml.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="somebodys", auth_mode="key")).result()
        yield open_azure(emulating.client_settings(home / "client"))


@pytest.fixture
def cli(workspace, capsys):
    """Run a command line over the workspace; gives exit code, standard output, standard error."""
    context = Context(workspace.settings, {})
    context.__dict__["workspace"] = workspace  # where cached_property keeps what it has opened

    def run(*words: str) -> tuple[int, str, str]:
        return main(words, lambda settings: context), *capsys.readouterr()

    return run


def test_what_runs_is_listed_with_its_cost_and_only_ours_is_removed(workspace, cli):
    workspace.computes.create(Compute("ours"))
    workspace.pipelines.publish(SPEC)
    workspace.schedules.create(ScheduleSpec("daily", "hello", "0 6 * * *"))
    run = workspace.pipelines.trigger("hello", "nightly")
    found = {(each.kind, each.name): each for each in workspace.service.resources()}
    ours = {key[0] for key, each in found.items() if each.made_here}
    assert ours == {"cluster", "batch endpoint", "schedule", "job"}
    theirs = found["cluster", "theirs"]
    assert not theirs.made_here
    assert theirs.hourly_cost == pytest.approx(0.272 * theirs.count)
    assert "never has fewer than 1 machines" in theirs.note

    code, out, said = cli("azure", "resources", "--json")
    assert (code, {each["name"] for each in json.loads(out)}) == (0, {name for _, name in found})
    assert f"Together {theirs.hourly_cost:.2f} USD an hour" in said
    code, _, said = cli("azure", "teardown")
    assert (code, "cluster ours" in said, "theirs" in said, "--yes" in said) == (2, True, False, True)
    assert len(workspace.service.resources()) == len(found)

    code, out, _ = cli("azure", "teardown", "--yes", "--json")
    assert (code, {each["kind"] for each in json.loads(out)}) == (0, ours)
    left = wait_until(lambda: only_others(workspace), timeout_s=10)
    assert {each.name for each in left} == {"theirs", "somebodys"}
    assert workspace.schedules.list() == ()
    assert workspace.jobs.get(run.id).state.final


def only_others(workspace):
    """What is live, once nothing of ours is."""
    found = workspace.service.resources()
    return found if not any(each.made_here for each in found) else ()


def test_doctor_tells_people_in_lines_and_ends_with_1_where_something_failed(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = cli("doctor")
    assert (code, "OK       Workspace: emulated in westeurope" in out) == (0, True)
    monkeypatch.setattr(account, "SKEW_MAX_S", -1.0)
    code, out, _ = cli("doctor")
    assert code == 1
    assert "         -> Set it, for example: sudo timedatectl set-ntp true" in out
