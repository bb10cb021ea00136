"""Endpoints on Azure from their creation to what they have recorded, through the SDK and the emulation's front door."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import emulating
import living
import pytest
from azure_models import BODY, SIGNATURE, model_folder
from waiting import wait_until

from core.azure import arm, scaling
from core.azure.workspace import open_azure
from core.cli.command import Context
from core.cli.main import main
from core.contract import samples
from core.domain.autoscale import Autoscale, ScaleMetric
from core.domain.batch import BatchSpec
from core.domain.endpoint import DeploymentSpec, EndpointLimits, EndpointSpec, EndpointState, GateBudget
from core.domain.errors import (
    Conflict,
    EndpointNotFound,
    Forbidden,
    GateRefused,
    ModelNotFound,
    SlipwayError,
    SpecInvalid,
)
from core.domain.job import Job, JobState
from core.domain.monitoring import Origin, RequestQuery
from core.domain.proof import LoadSpec, Target
from core.emulator.faults import Fault, of_folder
from core.emulator.server import Running
from core.workspace import Workspace

NAME = "bank"
BUDGET = GateBudget(p99_ms=1000, requests_per_s=1, concurrency=1, window_s=0.5)
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("azure") / "emulated"
    with emulating.emulation(home) as running:
        running.emulation.workspace.service.start()
        from azure.ai.ml.entities import Model

        folder = model_folder(tmp_path_factory.mktemp("model") / "model")
        emulating.ml_client(running).models.create_or_update(Model(name=NAME, path=folder, type="mlflow_model"))
        yield running
        living.close(home)


@pytest.fixture(scope="module")
def workspace(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return open_azure(emulating.client_settings(tmp_path_factory.mktemp("client")))


@pytest.fixture(scope="module")
def live(workspace: Workspace) -> str:
    """A deployment that has all traffic because somebody said so; its gate is stopped, it is proven elsewhere."""
    made = workspace.endpoints.deploy(DeploymentSpec("people", NAME, 1, "v1", budget=BUDGET))
    workspace.jobs.cancel(made.gate_job_id)
    workspace.endpoints.set_traffic("people", {"v1": 100}, force=True, by="somebody")
    return made.name


@pytest.fixture(scope="module")
def submitted(workspace: Workspace, live: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Job]:
    """A load and a batch, each in a process of its own: both load the SDK at the same time."""
    target = Target(workspace.endpoints.get("people").scoring_uri.removesuffix("/score"))
    load = workspace.jobs.submit(LoadSpec(target, duration_s=0.5, warmup_s=0.1))
    path = tmp_path_factory.mktemp("table") / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [column.name for column in SIGNATURE.used])
        writer.writeheader()
        writer.writerows(samples.rows(SIGNATURE, 30, 3))
    with path.open("rb") as stream:
        return load, workspace.jobs.submit_file(BatchSpec("people", source="rows.csv"), stream)


def ended(workspace: Workspace, job: Job) -> Job:
    def look() -> Job | None:
        now = workspace.jobs.get(job.id)
        return now if now.state.final else None

    return wait_until(look, PATIENCE_S, every_s=0.1)


def test_a_new_endpoint_has_what_azure_lets_one_choose_and_nothing_else(workspace):
    with pytest.raises(SpecInvalid, match="address"):
        workspace.endpoints.create(EndpointSpec("other", "127.0.0.1:8000"))
    with pytest.raises(SpecInvalid, match="max_rows"):
        workspace.endpoints.create(EndpointSpec("other", limits=EndpointLimits(max_rows=5)))
    made = workspace.endpoints.create(EndpointSpec("other", description="mine", limits=EndpointLimits(workers=2)))
    assert (made.state, made.settled, made.description, made.limits.workers) == (EndpointState.READY, True, "mine", 2)
    assert made.limits.app_insights
    assert not workspace.endpoints.update("other", {"app_insights": False}).limits.app_insights
    assert workspace.endpoints.update("other", {"app_insights": True}).limits == EndpointLimits(workers=2)
    with pytest.raises(SpecInvalid, match="no limit 'cors_origins'"):
        workspace.endpoints.update("other", {"cors_origins": ("*",)})
    workspace.endpoints.delete("other")
    wait_until(lambda: "other" not in [one.name for one in workspace.endpoints.list()], PATIENCE_S)


def test_what_cannot_be_deployed_leaves_no_endpoint(workspace):
    with pytest.raises(ModelNotFound, match="nothing"):
        workspace.endpoints.deploy(DeploymentSpec("orphan", "nothing"))
    with pytest.raises(SpecInvalid, match="legacy_reply"):
        workspace.endpoints.deploy(DeploymentSpec("orphan", NAME, legacy_reply=True))
    with pytest.raises(SpecInvalid):
        workspace.endpoints.deploy(DeploymentSpec("orphan", NAME, size="no such size!"))
    with pytest.raises(EndpointNotFound):
        workspace.endpoints.get("orphan")


def test_traffic_goes_to_a_short_name_by_both_of_its_names_and_says_who_forced_it(workspace, live):
    assert live == "d-v1"
    endpoint = workspace.endpoints.get("people")
    assert (dict(endpoint.traffic), endpoint.deployments[0].forced_by) == ({live: 100}, "somebody")
    with pytest.raises(GateRefused, match=live):
        workspace.endpoints.set_traffic("people", {"v1": 100})
    with pytest.raises(Conflict, match="gets traffic"):
        workspace.endpoints.delete_deployment("people", "v1")
    assert workspace.endpoints.deploy(DeploymentSpec("people", NAME, 1, "v1")).created_at > 0, "it is there already"


def test_requests_are_recorded_with_who_has_sent_them(workspace, live):
    reply = workspace.endpoints.invoke("people", BODY)
    asked = workspace.endpoints.invoke("people", BODY, deployment="v1", origin=Origin.APP)
    assert (reply.status, asked.headers["azureml-model-deployment"]) == (200, live)
    records = workspace.records

    def seen() -> bool:
        ids = {one.request_id: one.origin for one in records.requests("people", origin=None)}
        return {reply.headers["x-request-id"], asked.headers["x-request-id"]} <= set(ids)

    wait_until(seen, PATIENCE_S, every_s=0.2)
    by_id = {one.request_id: one for one in records.requests("people", origin=None)}
    assert by_id[reply.headers["x-request-id"]].origin == Origin.CLIENT
    assert by_id[asked.headers["x-request-id"]].origin == Origin.APP
    assert asked.headers["x-request-id"] not in [one.request_id for one in records.requests("people")]
    told = records.telemetry("people", buckets=6)
    assert told.requests == sum(bucket.requests for bucket in told.buckets) >= 1
    assert told.by_deployment[live].requests == told.requests
    assert told.p50_ms > 0
    assert told.recorded_since <= told.until
    wanted = reply.headers["x-request-id"]
    assert [one.request_id for one in records.search("people", RequestQuery(text=wanted))] == [wanted]
    assert records.search("people", RequestQuery(statuses=(500,))) == ()
    (course,) = records.course("people", buckets=6)
    assert (course.deployment, course.mirrored) == (live, False)
    assert sum(bucket.requests for bucket in course.buckets) >= told.requests
    assert records.exceptions("people") == ()
    assert records.availability("people", buckets=6).endpoint == "people"


def test_a_load_goes_to_azure_and_its_report_is_kept_there_without_a_key(workspace, submitted, tmp_path):
    job, _ = submitted
    assert ended(workspace, job).state is JobState.SUCCEEDED, workspace.jobs.logs(job.id)
    (report,) = workspace.proofs.load_reports("people")
    assert (report.id, report.endpoint, report.failed) == (job.id, "people", 0)
    assert report.requests > 5
    assert workspace.proofs.load_progress(job.id) == report
    elsewhere = open_azure(emulating.client_settings(tmp_path / "another machine"))
    assert elsewhere.proofs.load_reports() == (report,)
    assert kept_nowhere(workspace, workspace.endpoints.keys("people").primary)
    with pytest.raises(SpecInvalid, match="No endpoint"):
        workspace.jobs.submit(LoadSpec(Target("https://elsewhere.example")))


def test_a_table_is_scored_row_by_row_and_the_answers_are_a_file(workspace, live, submitted):
    _, job = submitted
    done = ended(workspace, job)
    assert done.state is JobState.SUCCEEDED, workspace.jobs.logs(job.id)
    assert (done.result.rows, done.result.scored, done.result.deployment) == (30, 30, live)
    with workspace.jobs.open_output(job.id) as output:
        written = list(csv.DictReader(line.decode() for line in output))
    assert {row["prediction"] for row in written} <= set(SIGNATURE.classes)
    assert job.id in [one.id for one in workspace.jobs.list(endpoint="people")]


def test_two_sessions_do_not_overwrite_each_others_traffic(workspace, live):
    with pytest.raises(Conflict, match="has changed meanwhile"):
        workspace.endpoints.set_traffic("people", {}, expected={})
    assert dict(workspace.endpoints.get("people").traffic) == {live: 100}


def test_the_log_and_a_folder_that_serves_elsewhere_come_from_azure(workspace, live, tmp_path):
    lines = workspace.endpoints.logs("people", 50)
    assert lines
    assert all(line.level in ("warning", "error") for line in workspace.endpoints.logs("people", level="warning"))
    folder = workspace.endpoints.package("people", tmp_path / "packed", deployment="v1")
    assert (folder / "model.json").exists()
    assert (folder / "deployment.json").exists()


BOUNDS = Autoscale(2, 5, 3)


@pytest.mark.parametrize("wanted", [BOUNDS, Autoscale(1, 4, 1, ScaleMetric.REQUESTS, 600.0, 200.0, 60, 90)])
def test_autoscale_is_set_read_back_and_ended(running, workspace, live, wanted):
    endpoints = workspace.endpoints
    assert endpoints.autoscale("people", live) is None
    endpoints.set_autoscale("people", "v1", BOUNDS)
    endpoints.set_autoscale("people", live, wanted)
    assert endpoints.autoscale("people", "v1") == wanted
    held = emulating.ml_client(running).online_deployments.get(live, "people")
    assert wanted.min_instances <= held.instance_count <= wanted.max_instances
    endpoints.set_autoscale("people", live, None)
    endpoints.set_autoscale("people", live, None)
    assert endpoints.autoscale("people", live) is None
    with pytest.raises(EndpointNotFound, match="no deployment"):
        endpoints.set_autoscale("people", "nobody", wanted)


def test_the_command_line_sets_shows_and_ends_autoscale(workspace, live, capsys):
    context = Context(workspace.settings, {})
    context.__dict__["workspace"] = workspace  # where cached_property keeps what it has opened

    def said(*words: str) -> tuple[int, Any]:
        code = main(("endpoint", "autoscale", "people", live, *words, "--json"), lambda settings: context)
        return code, json.loads(capsys.readouterr().out)

    code, made = said("--min", "2", "--max", "5", "--above", "80")
    assert (code, made["default_instances"], made["scale_out_above"], made["scale_in_below"]) == (0, 2, 80.0, 30.0)
    assert said() == (0, made)
    assert said("--min", "2")[0] == said("--off", "--min", "2", "--max", "3")[0] == 2
    assert "--above" in said("--min", "2", "--max", "3", "--metric", "requests")[1]["error"]["message"]
    assert said("--off") == said() == (0, {"autoscale": "off"})


def test_whoever_may_not_change_autoscale_is_told_what_it_takes(running, workspace, live):
    of_folder(running.emulation.folder).add(Fault("forbidden", method="PUT", path="*/autoscalesettings/*", times=1))
    with pytest.raises(Forbidden, match="does not let you change autoscale") as refused:
        workspace.endpoints.set_autoscale("people", live, BOUNDS)
    assert "Microsoft.Insights/autoscaleSettings/write" in refused.value.hint
    assert workspace.endpoints.autoscale("people", live) is None


def test_a_setting_of_somebody_else_is_never_doubled_and_goes_with_its_deployment(running, workspace, live):
    context = workspace.endpoints._context
    place = f"{context.target.group_path}/providers/Microsoft.Insights/autoscaleSettings"
    target = f"{context.target.path}/onlineEndpoints/people/deployments/{live}"
    capacity = {"minimum": "1", "maximum": "2", "default": "1"}
    theirs = {"targetResourceUri": target, "profiles": [{"name": "night", "capacity": capacity, "rules": []}]}
    arm.send(context, "PUT", f"{place}/theirs", scaling.API, {"location": "westeurope", "properties": theirs})
    with pytest.raises(SlipwayError, match="'theirs' of 'people/d-v1' is of another form"):
        workspace.endpoints.autoscale("people", live)
    workspace.endpoints.set_autoscale("people", live, BOUNDS)
    assert workspace.endpoints.autoscale("people", live) == BOUNDS
    assert [each["name"] for each in arm.ask_all(context, place, scaling.API)] == ["theirs"]
    workspace.endpoints.set_traffic("people", {})
    workspace.endpoints.delete_deployment("people", live)
    assert arm.ask_all(context, place, scaling.API) == []


def kept_nowhere(workspace: Workspace, key: str) -> bool:
    """Whether no file of this machine holds a key."""
    home: Path = workspace.settings.home
    found: Callable[[Path], bool] = lambda path: path.is_file() and key.encode() in path.read_bytes()  # noqa: E731
    return not any(map(found, home.rglob("*")))
