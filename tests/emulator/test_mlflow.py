"""MLflow's tracking routes and the metric service, as plain clients call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import emulating
import pytest
import requests

from core.emulator.server import Running

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def ask(running: Running) -> Ask:
    """`ask("POST", "runs/create", name=value)` -> the answer, with its status where that is an error."""
    names = running.emulation.names
    token = emulating.ml_client(running)._credential.get_token("https://ml.azure.com/.default").token
    headers = {"Authorization": f"Bearer {token}"}
    base = f"https://{names.api_host}/mlflow/v2.0{names.workspace_path}/api/2.0/mlflow/"

    def asked(verb: str, path: str, address: str = base, **values: Any) -> dict[str, Any]:
        given = {"params": values} if verb == "GET" else {"json": values}
        answer = requests.request(verb, address + path, headers=headers, timeout=20, **given)
        found: dict[str, Any] = answer.json()
        return found | ({"status": answer.status_code} if answer.status_code >= 400 else {})

    return asked


@pytest.fixture(scope="module")
def experiment(ask: Ask) -> str:
    return str(ask("POST", "experiments/create", name="by-hand")["experiment_id"])


def begun(ask: Ask, experiment: str, **more: Any) -> str:
    return str(ask("POST", "runs/create", experiment_id=experiment, start_time=1000, **more)["run"]["info"]["run_id"])


def test_a_run_keeps_what_is_logged_until_its_end(ask: Ask, experiment: str) -> None:
    run = begun(ask, experiment, run_name="first", tags=[{"key": "team", "value": "bank"}])
    for step, value in enumerate([0.5, 0.7]):
        ask("POST", "runs/log-metric", run_id=run, key="AUC", value=value, timestamp=step, step=step)
    ask("POST", "runs/log-parameter", run_id=run, key="depth", value="4")
    metrics = [{"key": "loss", "value": "NaN", "timestamp": 5, "step": 0}]
    ask("POST", "runs/log-batch", run_id=run, metrics=metrics, tags=[{"key": "note", "value": "x"}])
    ask("POST", "runs/update", run_id=run, status="FINISHED", end_time=9000)
    found = ask("GET", "runs/get", run_id=run)["run"]
    assert (found["info"]["status"], found["info"]["run_name"], found["info"]["end_time"]) == (
        "FINISHED",
        "first",
        9000,
    )
    assert {each["key"]: each["value"] for each in found["data"]["metrics"]} == {"AUC": 0.7, "loss": "NaN"}
    assert found["data"]["params"] == [{"key": "depth", "value": "4"}]
    assert {"team": "bank", "note": "x"}.items() <= {
        each["key"]: each["value"] for each in found["data"]["tags"]
    }.items()
    history = ask("GET", "metrics/get-history", run_id=run, metric_key="AUC")["metrics"]
    assert [(each["step"], each["value"]) for each in history] == [(0, 0.5), (1, 0.7)]


def test_a_parameter_cannot_change(ask: Ask, experiment: str) -> None:
    run = begun(ask, experiment)
    ask("POST", "runs/log-parameter", run_id=run, key="depth", value="4")
    again = ask("POST", "runs/log-parameter", run_id=run, key="depth", value="5")
    assert (again["status"], again["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_runs_are_found_by_page_in_order_and_deleted_ones_are_not(ask: Ask, experiment: str) -> None:
    runs = [begun(ask, experiment, tags=[{"key": "group", "value": "pages"}]) for _ in range(3)]
    for number, run in enumerate(runs):
        ask("POST", "runs/log-metric", run_id=run, key="rank", value=number, timestamp=1, step=0)
    ask("POST", "runs/delete", run_id=runs[1])
    asked = {"experiment_ids": [experiment], "filter": "tags.`group` = 'pages'", "order_by": ["metrics.rank DESC"]}
    first = ask("POST", "runs/search", max_results=1, **asked)
    second = ask("POST", "runs/search", max_results=1, page_token=first["next_page_token"], **asked)
    assert [page["runs"][0]["info"]["run_id"] for page in (first, second)] == [runs[2], runs[0]]
    assert "next_page_token" not in second


def test_what_is_not_there_is_said_in_mlflows_words(ask: Ask) -> None:
    for path, given in (("runs/get", {"run_id": "none"}), ("experiments/get-by-name", {"experiment_name": "none"})):
        found = ask("GET", path, **given)
        assert (found["status"], found["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert ask("POST", "experiments/create", name="twice")["experiment_id"]
    assert ask("POST", "experiments/create", name="twice")["error_code"] == "RESOURCE_ALREADY_EXISTS"


def test_the_metric_service_lists_what_mlflow_has_logged(running: Running, ask: Ask, experiment: str) -> None:
    run = begun(ask, experiment)
    ask("POST", "runs/log-metric", run_id=run, key="AUC", value=0.5, timestamp=1, step=2)
    names = running.emulation.names
    base = f"https://{names.api_host}/metric/v2.0{names.workspace_path}/runs/{run}/"
    assert [each["name"] for each in ask("POST", "list", address=base)["value"]] == ["AUC"]
    (value,) = ask("POST", "full", address=base, metricName="AUC")["value"]
    assert (value["step"], value["data"]) == (2, {"AUC": 0.5})


def test_what_a_run_has_written_goes_by_way_of_the_run_history_and_into_the_registry(
    running: Running, ask: Ask, experiment: str
) -> None:
    names, run = running.emulation.names, begun(ask, experiment)
    base = f"https://{names.api_host}/history/v1.0{names.workspace_path}/experiments/by-hand/runs/{run}/"
    place = ask("POST", "artifacts/batch/metadata", base, paths=[{"path": "model/MLmodel"}])
    address = place["artifactContentInformation"]["model/MLmodel"]["contentUri"]
    put = requests.put(address, data=b"flavors: {sklearn: {}}", headers={"x-ms-blob-type": "BlockBlob"}, timeout=20)
    assert put.status_code == 201
    assert [each["path"] for each in ask("GET", "artifacts/path?path=model", base)["value"]] == ["model/MLmodel"]
    opened = ask("GET", "artifacts/contentinfo?path=model/MLmodel", base)["contentUri"]
    assert requests.get(opened, timeout=20).content == b"flavors: {sklearn: {}}"

    ask("POST", "registered-models/create", name="logged")
    assert ask("POST", "registered-models/create", name="logged")["error_code"] == "RESOURCE_ALREADY_EXISTS"
    source = f"{base}artifacts/model"
    made = ask("POST", "model-versions/create", name="logged", source=source, run_id=run)["model_version"]
    assert (made["version"], made["run_id"], made["status"], made["current_stage"]) == ("1", run, "READY", "None")
    staged = ask("POST", "model-versions/transition-stage", name="logged", version="1", stage="production")
    assert staged["model_version"]["current_stage"] == "Production"
    (found,) = ask("GET", "registered-models/search", filter="name LIKE 'logg%'")["registered_models"]
    assert [each["version"] for each in found["latest_versions"]] == ["1"]
    assert ask("GET", "model-versions/get", name="logged", version="2")["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    model = emulating.ml_client(running).models.get("logged", version="1")
    assert (model.stage, model.job_name, list(model.flavors)) == ("Production", run, ["sklearn"])


def test_a_client_finds_the_cloud_before_it_signs_in(running: Running) -> None:
    found = requests.get("https://management.azure.com/metadata/endpoints?api-version=2019-05-01", timeout=20).json()
    assert [cloud["name"] for cloud in found] == ["AzureCloud"]
