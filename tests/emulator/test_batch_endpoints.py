"""Batch endpoints of the emulation: tables that are really scored, and pipelines that are really run."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure_models
import emulating
import living
import pytest
import requests
from azure.identity import ClientSecretCredential
from azure_models import SIGNATURE
from waiting import wait_until

from core.contract import samples
from core.emulator import blobs
from core.emulator.emulation import Options
from core.emulator.jobs import runs
from core.emulator.server import Running

sdk = pytest.importorskip("azure.ai.ml.entities", reason="the SDK of Azure ML is not here")

ROWS = samples.rows(SIGNATURE, 5, 1)
NAME = "bank-batch"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("batch")
    with emulating.emulation(home, Options(allow_code=True, poll_s=0.05)) as started:
        started.emulation.workspace.service.start()
        yield started
        living.close(home)


@pytest.fixture(scope="module")
def ml(running: Running) -> Any:
    return emulating.ml_client(running)


@pytest.fixture(scope="module")
def endpoint(ml: Any) -> Any:
    return ml.batch_endpoints.begin_create_or_update(
        sdk.BatchEndpoint(name=NAME, description="Scores tables", tags={"team": "bank"})
    ).result()


@pytest.fixture(scope="module")
def deployment(running: Running, ml: Any, endpoint: Any) -> Any:
    wanted = sdk.ModelBatchDeployment(
        name="classic",
        endpoint_name=NAME,
        model=azure_models.registered(running, "bank"),
        settings=sdk.ModelBatchDeploymentSettings(mini_batch_size=10, output_file_name="answers.csv"),
    )
    made = ml.batch_deployments.begin_create_or_update(wanted).result()
    now = ml.batch_endpoints.get(NAME)
    now.defaults.deployment_name = "classic"
    ml.batch_endpoints.begin_create_or_update(now).result()
    return made


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(ROWS)
    return path


def token(running: Running, scope: str = "https://ml.azure.com/.default") -> str:
    names = running.emulation.names
    return ClientSecretCredential(names.tenant, names.client, running.emulation.secret).get_token(scope).token


def ended(ml: Any, name: str) -> Any:
    wait_until(lambda: ml.jobs.get(name).status in ("Completed", "Failed", "Canceled"), 30)
    return ml.jobs.get(name)


def test_a_batch_endpoint_has_an_address_for_jobs_and_no_keys(ml: Any, endpoint: Any):
    assert endpoint.scoring_uri == f"https://{NAME}.westeurope.inference.ml.azure.com/jobs"
    assert (endpoint.provisioning_state, endpoint.tags) == ("Succeeded", {"team": "bank"})
    assert [each.name for each in ml.batch_endpoints.list()] == [NAME]


def test_a_table_is_scored_by_the_default_deployment_and_its_answers_are_downloaded(
    ml: Any, deployment: Any, table: Path, tmp_path: Path
):
    job = ml.batch_endpoints.invoke(
        endpoint_name=NAME, input=sdk_input(path=str(table), type="uri_file"), experiment_name="batches"
    )
    done = ended(ml, job.name)
    assert (done.status, done.experiment_name) == ("Completed", "batches")
    ml.jobs.download(name=job.name, output_name="score", download_path=str(tmp_path / "down"))
    (answers,) = (tmp_path / "down").rglob("*.csv")
    assert answers.name == "answers.csv"
    rows = list(csv.reader(answers.open()))
    assert [int(row[0]) for row in rows] == list(range(5))
    assert {row[1] for row in rows} <= {"yes", "no"}
    assert [each.name for each in ml.batch_endpoints.list_jobs(NAME)] == [job.name]
    assert [each.name for each in ml.batch_deployments.list_jobs(NAME, name="classic")] == [job.name]


def test_all_files_of_a_folder_are_scored_and_each_row_names_its_file(
    ml: Any, deployment: Any, table: Path, tmp_path: Path
):
    folder = tmp_path / "two"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_bytes(table.read_bytes())
    job = ml.batch_endpoints.invoke(endpoint_name=NAME, input=sdk_input(path=str(folder), type="uri_folder"))
    assert ended(ml, job.name).status == "Completed"
    ml.jobs.download(name=job.name, output_name="score", download_path=str(tmp_path / "down"))
    (answers,) = (tmp_path / "down").rglob("*.csv")
    assert [row[2] for row in csv.reader(answers.open())] == ["a.csv"] * 5 + ["b.csv"] * 5


def sdk_input(**given: Any) -> Any:
    from azure.ai.ml import Input

    return Input(**given)


def test_a_request_that_comes_twice_starts_one_job(running: Running, ml: Any, deployment: Any, table: Path):
    emulation = running.emulation
    blobs.write(emulation, emulation.names.container, "rows/rows.csv", table.read_bytes())
    uri = "azureml://datastores/workspaceblobstore/paths/rows/rows.csv"
    body = {"properties": {"InputData": {"table": {"jobInputType": "UriFile", "uri": uri}}}}
    headers = {
        "Authorization": f"Bearer {token(running)}", "repeatability_request-id": str(uuid.uuid4()),
        "azureml-model-deployment": "classic",
    }  # fmt: skip
    replies = [requests.post(f"https://{host(NAME)}/jobs", json=body, headers=headers, timeout=20) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [201, 201]
    name = replies[0].json()["name"]
    assert replies[1].json()["name"] == name
    headers["repeatability_request-id"] = str(uuid.uuid4())
    assert requests.post(f"https://{host(NAME)}/jobs", json=body, headers=headers, timeout=20).json()["name"] != name
    assert requests.get(f"https://{host(NAME)}/jobs/{name}", headers=headers, timeout=20).json()["name"] == name
    assert name in {
        each["name"] for each in requests.get(f"https://{host(NAME)}/jobs", headers=headers).json()["value"]
    }


def host(name: str) -> str:
    return f"{name}.westeurope.inference.ml.azure.com"


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"Authorization": "Bearer a.b.c"}, 401, "invalid"),
        ({"azureml-model-deployment": "pink"}, 404, "pink"),
    ],
)
def test_who_may_not_ask_and_what_is_not_there_is_refused(
    running: Running, deployment: Any, change: dict[str, str], status: int, said: str
):
    headers = {"Authorization": f"Bearer {token(running)}", **change}
    reply = requests.post(f"https://{host(NAME)}/jobs", json={"properties": {}}, headers=headers, timeout=20)
    assert (reply.status_code, said in reply.text) == (status, True), reply.text


def test_a_token_for_somebody_else_is_refused(running: Running, deployment: Any):
    headers = {"Authorization": f"Bearer {token(running, 'https://management.azure.com/.default')}"}
    assert requests.post(f"https://{host(NAME)}/jobs", json={}, headers=headers, timeout=20).status_code == 403


def test_inputs_that_are_no_one_table_are_refused_with_the_reason(running: Running, deployment: Any):
    headers = {"Authorization": f"Bearer {token(running)}"}
    body = {"properties": {"inputData": {"n": {"jobInputType": "Literal", "value": "3"}}}}
    reply = requests.post(f"https://{host(NAME)}/jobs", json=body, headers=headers, timeout=20)
    assert (reply.status_code, "one table" in reply.text) == (400, True)


def say() -> Any:
    """A pipeline of one command, as the SDK's documentation writes it."""
    from azure.ai.ml import Input, Output, command, dsl

    step = command(
        name="say_it",
        command="echo said ${{inputs.word}} > ${{outputs.out}}/said.txt",
        environment=sdk.Environment(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"),
        inputs={"word": Input(type="string")},
        outputs={"out": Output(type="uri_folder")},
    )

    @dsl.pipeline(name="say_words", description="Says a word")
    def words(word="nothing"):  # the SDK reads annotations, and these would be texts
        return {"out": step(word=word).outputs.out}

    return words().component


def test_a_published_pipeline_really_runs_with_the_inputs_of_its_invocation(
    running: Running, ml: Any, endpoint: Any, tmp_path: Path
):
    component = ml.components.create_or_update(say())
    wanted = sdk.PipelineComponentBatchDeployment(
        name="pipe", endpoint_name=NAME, component=component, settings={"continue_on_step_failure": False}
    )
    made = ml.batch_deployments.begin_create_or_update(wanted).result()
    assert (made.name, made.component) == ("pipe", component.id)
    headers = {"Authorization": f"Bearer {token(running)}", "azureml-model-deployment": "pipe"}
    place = "azureml://datastores/workspaceblobstore/paths/said/here"
    body = {
        "properties": {
            "inputData": {"word": {"jobInputType": "Literal", "value": "hello"}},
            "outputData": {"out": {"jobOutputType": "UriFolder", "uri": place}},
        }
    }
    reply = requests.post(f"https://{host(NAME)}/jobs", json=body, headers=headers, timeout=20)
    assert reply.status_code == 201, reply.text
    job = reply.json()
    assert job["properties"]["tags"]["azureml.deploymentname"] == "pipe"
    assert job["properties"]["inputData"]["word"]["value"] == "hello"
    done = ended(ml, job["name"])
    assert (done.status, done.type, done.outputs["out"].path) == ("Completed", "pipeline", place)
    ml.jobs.download(name=job["name"], output_name="out", download_path=str(tmp_path))
    assert [path.read_text().strip() for path in tmp_path.rglob("said.txt")] == ["said hello"]
    told = requests.get(f"https://{host(NAME)}/jobs/{job['name']}", headers=headers, timeout=20).json()
    assert told["properties"]["status"] == "Completed"
    ml.batch_deployments.begin_delete("pipe", NAME).result()


def test_a_component_that_is_not_there_is_not_deployed(ml: Any, endpoint: Any):
    missing = f"{ml.workspaces.get('emulated').id}/components/missing/versions/1"
    wanted = sdk.PipelineComponentBatchDeployment(name="none", endpoint_name=NAME, component=missing)
    with pytest.raises(Exception, match="not found"):
        ml.batch_deployments.begin_create_or_update(wanted).result()


def test_a_job_whose_model_or_table_is_none_for_us_fails_and_says_why(
    running: Running, ml: Any, endpoint: Any, deployment: Any, tmp_path: Path
):
    (tmp_path / "MLmodel").write_text("flavors:\n  sklearn: {}\n")
    model = azure_models.registered(running, "foreign", folder=tmp_path)
    wanted = sdk.ModelBatchDeployment(
        name="foreign", endpoint_name=NAME, model=model, settings=sdk.ModelBatchDeploymentSettings(mini_batch_size=10)
    )
    ml.batch_deployments.begin_create_or_update(wanted).result()
    for name, said in (("foreign", "another maker (sklearn)"), ("classic", "no data")):
        headers = {"Authorization": f"Bearer {token(running)}", "azureml-model-deployment": name}
        uri = "azureml://datastores/workspaceblobstore/paths/nowhere/rows.csv"
        body = {"properties": {"inputData": {"table": {"jobInputType": "UriFile", "uri": uri}}}}
        job = requests.post(f"https://{host(NAME)}/jobs", json=body, headers=headers, timeout=20).json()["name"]
        assert ended(ml, job).status == "Failed"
        error = runs.get(running.emulation, job).error
        assert error is not None
        assert said in error["message"]


def test_the_default_deployment_is_not_deleted_and_its_endpoint_takes_it_with_it(ml: Any, deployment: Any):
    with pytest.raises(Exception, match="default"):
        ml.batch_deployments.begin_delete("classic", NAME).result()
    ml.batch_endpoints.begin_delete(NAME).result()
    assert list(ml.batch_endpoints.list()) == []
