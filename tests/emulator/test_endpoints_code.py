"""Deployments with code of a client: refused with that reason, or each in a process of its own; and tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure_models
import emulating
import living
import pytest
import requests
from ending import gone
from waiting import wait_until

from core.emulator.emulation import Options
from core.emulator.endpoints import own_code
from core.emulator.server import Running

sdk = pytest.importorskip("azure.ai.ml.entities", reason="the SDK of Azure ML is not here")

SCRIPT = """
import json, os

def init():
    global model
    folder = os.environ["AZUREML_MODEL_DIR"]
    names = [name for _, _, names in os.walk(folder) for name in names]
    model = names
    print("loaded", sorted(names), os.environ["COLOR"], "AZURE_CLIENT_SECRET" in os.environ)

def run(raw):
    asked = json.loads(raw)
    if asked == "fail":
        raise ValueError("cannot answer that")
    return {"echo": asked, "files": sorted(model)}
"""
RAW = """
import logging, os
from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse

def init():
    global weights
    logging.info("Init complete")
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], os.environ["WEIGHTS"]), "rb") as file:
        weights = file.read()

@rawhttp
def run(request: AMLRequest):
    return AMLResponse(weights + request.get_data(False), 201, {"x-own": "yes"})
"""
NAME = "with-code"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("code")
    with emulating.emulation(home, Options(allow_code=True)) as started:
        yield started
    living.close(home)


@pytest.fixture(scope="module")
def ml(running: Running) -> Any:
    return emulating.ml_client(running)


@pytest.fixture(scope="module")
def endpoint(ml: Any) -> Any:
    wanted = sdk.ManagedOnlineEndpoint(name=NAME, auth_mode="aml_token")
    return ml.online_endpoints.begin_create_or_update(wanted).result()


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "score.py").write_text(SCRIPT)
    return folder


@pytest.fixture(scope="module")
def model(running: Running, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    (folder / "weights.txt").write_text("1 2 3")
    return azure_models.registered(running, "own", folder=folder, kind="custom_model")


def deploy(ml: Any, name: str, code: Path, model: str) -> Any:
    wanted = sdk.ManagedOnlineDeployment(
        name=name,
        endpoint_name=NAME,
        model=model,
        code_configuration=sdk.CodeConfiguration(code=str(code), scoring_script="score.py"),
        environment=sdk.Environment(image="mcr.microsoft.com/azureml/minimal-ubuntu22.04-py39-cpu-inference"),
        environment_variables={"COLOR": "green"},
        instance_type="Standard_DS3_v2",
        instance_count=1,
    )
    return ml.online_deployments.begin_create_or_update(wanted).result()


def post(ml: Any, body: Any, **headers: str) -> requests.Response:
    token = ml.online_endpoints.get_keys(NAME).access_token
    uri = ml.online_endpoints.get(NAME).scoring_uri
    sent = {"Authorization": f"Bearer {token}", **headers}
    return requests.post(uri, json.dumps(body), headers=sent, timeout=20)


def test_a_scoring_script_serves_in_a_process_of_its_own_and_gives_all_traffic(
    running: Running, ml: Any, endpoint: Any, code: Path, model: str
):
    assert deploy(ml, "scripted", code, model).provisioning_state == "Succeeded"
    now = ml.online_endpoints.get(NAME)
    now.traffic = {"scripted": 100}
    ml.online_endpoints.begin_create_or_update(now).result()
    reply = post(ml, [1, 2])
    assert (reply.status_code, reply.headers["azureml-model-deployment"]) == (200, "scripted"), reply.text
    assert reply.json() == {"echo": [1, 2], "files": ["weights.txt"]}
    failed = post(ml, "fail")
    assert (failed.status_code, failed.headers["ms-azureml-model-error-statuscode"]) == (424, "500")
    said = ml.online_deployments.get_logs("scripted", NAME, 100)
    assert "loaded ['weights.txt'] green False" in said, "it has none of our secrets"
    assert "ValueError: cannot answer that" in said


def test_an_endpoint_with_tokens_has_no_keys_and_lets_nobody_in_with_another_token(
    running: Running, ml: Any, endpoint: Any
):
    uri = ml.online_endpoints.get(NAME).scoring_uri
    other = ml._credential.get_token("https://management.azure.com/.default").token
    assert requests.post(uri, b"1", headers={"Authorization": f"Bearer {other}"}, timeout=20).status_code == 403
    assert requests.post(uri, b"1", headers={"Authorization": "Bearer a.b.c"}, timeout=20).status_code == 401
    with pytest.raises(Exception, match="does not use keys"):
        ml.online_endpoints.begin_regenerate_keys(NAME).result()


def test_a_script_that_fails_at_its_start_fails_the_deployment_and_its_traceback_is_in_the_log(
    ml: Any, endpoint: Any, code: Path, model: str
):
    (code / "score.py").write_text("def init():\n    raise RuntimeError('no weights')\n\ndef run(raw):\n    pass\n")
    with pytest.raises(Exception, match="no weights"):
        deploy(ml, "broken", code, model)
    said = ml.online_deployments.get_logs("broken", NAME, 100)
    assert "Traceback (most recent call last)" in said
    assert "RuntimeError: no weights" in said
    ml.online_deployments.begin_delete("broken", NAME).result()


def test_a_deployment_that_is_deleted_leaves_no_process(
    running: Running, ml: Any, endpoint: Any, code: Path, model: str
):
    deploy(ml, "short", code, model)
    children = [child.process.pid for (folder, key), child in own_code._CHILDREN.items() if key.endswith("/short")]
    ml.online_deployments.begin_delete("short", NAME).result()
    assert children
    wait_until(lambda: all(map(gone, children)), 5)


def test_a_scoring_script_finds_its_model_where_azure_lays_it_and_may_take_requests_as_they_come(
    ml: Any, running: Running, endpoint: Any, tmp_path: Path
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "score.py").write_text(RAW)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "w.txt").write_text("7")
    for number, path in enumerate(("weights/w.txt", "weights")):
        wanted = sdk.ManagedOnlineDeployment(
            name=f"raw-{number}",
            endpoint_name=NAME,
            model=sdk.Model(path=str(tmp_path / path)),
            environment=sdk.Environment(image="python:3.11", name="with-raw", version="1"),
            code_configuration=sdk.CodeConfiguration(code=str(tmp_path / "src"), scoring_script="score.py"),
            environment_variables={"WEIGHTS": path.removeprefix("weights/") if number == 0 else "weights/w.txt"},
            instance_type="Standard_DS3_v2",
            instance_count=1,
        )
        ml.online_deployments.begin_create_or_update(wanted).result()

    assert "INFO root: Init complete" in ml.online_deployments.get_logs("raw-0", NAME, lines=50)
    token = ml.online_endpoints.get_keys(NAME).access_token
    address = ml.online_endpoints.get(NAME).scoring_uri
    for number in range(2):
        headers = {"Authorization": f"Bearer {token}", "azureml-model-deployment": f"raw-{number}"}
        answer = requests.post(address, data=b"\x00\x01", headers=headers, timeout=30)
        assert (answer.status_code, answer.content, answer.headers["x-own"]) == (201, b"7\x00\x01", "yes")
        ml.online_deployments.begin_delete(f"raw-{number}", NAME).result()
