"""Online endpoints of the emulation, as the unmodified SDK and plain HTTPS see them; they really score."""

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
from azure_models import BODY

from core.emulator import faults
from core.emulator.server import Running

sdk = pytest.importorskip("azure.ai.ml.entities", reason="the SDK of Azure ML is not here")

HEADER = "azureml-model-deployment"
AS_JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("endpoints")
    with emulating.emulation(home) as started:
        started.emulation.workspace.service.start()
        yield started
        living.close(home)


@pytest.fixture(scope="module")
def ml(running: Running) -> Any:
    return emulating.ml_client(running)


@pytest.fixture(scope="module")
def models(running: Running) -> tuple[str, str]:
    return azure_models.registered(running, "bank"), azure_models.registered(running, "bank", "2")


def deployment(name: str, model: str, endpoint: str = "bank-scoring", **options: Any) -> Any:
    wanted = {"instance_type": "Standard_DS3_v2", "instance_count": 1, **options}
    requests_at_once = sdk.OnlineRequestSettings(max_concurrent_requests_per_instance=8, request_timeout_ms=20_000)
    return sdk.ManagedOnlineDeployment(
        name=name, endpoint_name=endpoint, model=model, request_settings=requests_at_once, **wanted
    )


@pytest.fixture(scope="module")
def endpoint(ml: Any) -> Any:
    wanted = sdk.ManagedOnlineEndpoint(
        name="bank-scoring", auth_mode="key", description="Scores", tags={"team": "bank"}
    )
    return ml.online_endpoints.begin_create_or_update(wanted).result()


@pytest.fixture(scope="module")
def blue(ml: Any, endpoint: Any, models: tuple[str, str]) -> Any:
    return ml.online_deployments.begin_create_or_update(
        deployment("blue", models[0], app_insights_enabled=True)
    ).result()


@pytest.fixture(scope="module")
def green(ml: Any, blue: Any, models: tuple[str, str]) -> Any:
    return ml.online_deployments.begin_create_or_update(deployment("green", models[1])).result()


def give(ml: Any, traffic: dict[str, int], mirror: dict[str, int] | None = None) -> Any:
    now = ml.online_endpoints.get("bank-scoring")
    if (
        {name: share for name, share in now.traffic.items() if share} == traffic
        and not now.mirror_traffic
        and not mirror
    ):
        return now
    now.traffic, now.mirror_traffic = traffic, mirror or {}
    return ml.online_endpoints.begin_create_or_update(now).result()


def score(ml: Any, **headers: str) -> requests.Response:
    now = ml.online_endpoints.get("bank-scoring")
    key = ml.online_endpoints.get_keys("bank-scoring").primary_key
    sent = {"Authorization": f"Bearer {key}", **AS_JSON, **headers}
    return requests.post(now.scoring_uri, BODY, headers=sent, timeout=20)


def test_an_endpoint_has_an_address_keys_and_what_it_was_made_with(ml: Any, endpoint: Any):
    assert endpoint.scoring_uri == "https://bank-scoring.westeurope.inference.ml.azure.com/score"
    assert endpoint.openapi_uri.endswith("/swagger.json")
    assert (endpoint.provisioning_state, endpoint.auth_mode) == ("Succeeded", "key")
    assert endpoint.public_network_access == "Enabled"
    assert (endpoint.description, endpoint.tags, endpoint.traffic) == ("Scores", {"team": "bank"}, {})
    assert endpoint.identity.type == "system_assigned"
    keys = ml.online_endpoints.get_keys("bank-scoring")
    assert len({keys.primary_key, keys.secondary_key}) == 2
    assert [each.name for each in ml.online_endpoints.list()] == ["bank-scoring"]


def test_a_new_deployment_succeeds_and_has_no_traffic(ml: Any, blue: Any):
    assert (blue.provisioning_state, blue.instance_count, blue.app_insights_enabled) == ("Succeeded", 1, True)
    assert ml.online_endpoints.get("bank-scoring").traffic == {"blue": 0}
    assert ml.online_deployments.get("blue", "bank-scoring").request_settings.request_timeout_ms == 20_000


def test_without_traffic_a_deployment_answers_by_its_name_alone(ml: Any, blue: Any):
    give(ml, {})
    assert score(ml).status_code == 404
    reply = score(ml, **{HEADER: "blue"})
    assert (reply.status_code, reply.headers[HEADER]) == (200, "blue"), reply.text
    assert len(next(iter(reply.json().values()))) == 2


def test_traffic_goes_where_the_map_says(ml: Any, blue: Any, green: Any):
    give(ml, {"blue": 100})
    assert {score(ml).headers[HEADER] for _ in range(4)} == {"blue"}
    assert give(ml, {"blue": 30, "green": 70}).traffic == {"blue": 30, "green": 70}
    assert {score(ml).headers[HEADER] for _ in range(24)} == {"blue", "green"}


def test_mirrored_requests_are_answered_by_the_live_deployment_and_reach_the_other(
    running: Running, ml: Any, blue: Any, green: Any
):
    give(ml, {"blue": 100}, {"green": 50})
    assert ml.online_endpoints.get("bank-scoring").mirror_traffic == {"green": 50}
    assert {score(ml).headers[HEADER] for _ in range(10)} == {"blue"}
    local = running.emulation.workspace.endpoints.get("bank-scoring")
    assert (dict(local.traffic), dict(local.mirror)) == ({"blue": 100}, {"green": 50})


@pytest.mark.parametrize(
    ("traffic", "mirror", "said"),
    [
        ({"blue": 60}, {}, "0 or 100"),
        ({"pink": 100}, {}, "pink"),
        ({"blue": 100}, {"green": 60}, "50"),
        ({"blue": 100}, {"blue": 10}, "live traffic"),
    ],
)
def test_traffic_that_azure_would_not_take_is_refused(
    ml: Any, blue: Any, green: Any, traffic: dict[str, int], mirror: dict[str, int], said: str
):
    with pytest.raises(Exception, match=said):
        give(ml, traffic, mirror)


def test_who_has_no_key_is_not_let_in(ml: Any, blue: Any):
    give(ml, {"blue": 100})
    uri = ml.online_endpoints.get("bank-scoring").scoring_uri
    nobody = requests.post(uri, BODY, timeout=20)
    assert (nobody.status_code, nobody.text) == (401, "key_auth_bad_header_forbidden")
    stranger = requests.post(uri, BODY, headers={"Authorization": "Bearer nothing"}, timeout=20)
    assert (stranger.status_code, stranger.text) == (401, "key_auth_access_denied")


def test_what_the_model_refuses_is_424_with_its_own_status_beside_it(ml: Any, blue: Any):
    give(ml, {"blue": 100})
    key = ml.online_endpoints.get_keys("bank-scoring").primary_key
    uri = ml.online_endpoints.get("bank-scoring").scoring_uri
    reply = requests.post(uri, b"{", headers={"Authorization": f"Bearer {key}", **AS_JSON}, timeout=20)
    assert reply.status_code == 424
    assert reply.headers["ms-azureml-model-error-statuscode"] == "400"
    assert reply.headers["ms-azureml-model-error-reason"] == "Bad Request"
    assert reply.json(), "the model's own words are handed on"


def test_the_swagger_document_and_the_probe_are_the_real_servers(ml: Any, blue: Any):
    give(ml, {"blue": 100})
    now = ml.online_endpoints.get("bank-scoring")
    headers = {"Authorization": f"Bearer {ml.online_endpoints.get_keys('bank-scoring').primary_key}"}
    assert requests.get(now.openapi_uri, headers=headers, timeout=20).json()["swagger"] == "2.0"
    assert requests.get(now.scoring_uri.replace("/score", "/"), headers=headers, timeout=20).text == "Healthy"
    assert requests.get(now.openapi_uri, timeout=20).status_code == 401


def test_a_key_is_regenerated_and_the_old_one_stays_outside(ml: Any, blue: Any):
    give(ml, {"blue": 100})
    before = ml.online_endpoints.get_keys("bank-scoring")
    ml.online_endpoints.begin_regenerate_keys("bank-scoring", key_type="primary").result()
    after = ml.online_endpoints.get_keys("bank-scoring")
    assert after.primary_key != before.primary_key
    assert after.secondary_key == before.secondary_key
    uri = ml.online_endpoints.get("bank-scoring").scoring_uri
    old, new = (
        requests.post(uri, BODY, headers={"Authorization": f"Bearer {key}", **AS_JSON}, timeout=20).status_code
        for key in (before.primary_key, after.primary_key)
    )
    assert (old, new) == (401, 200)


def test_the_sdk_invokes_an_endpoint(ml: Any, blue: Any, tmp_path: Path):
    give(ml, {"blue": 100})
    (tmp_path / "rows.json").write_bytes(BODY)
    assert json.loads(ml.online_endpoints.invoke("bank-scoring", request_file=str(tmp_path / "rows.json")))


def test_logs_of_both_containers_are_told(ml: Any, blue: Any):
    said = ml.online_deployments.get_logs("blue", "bank-scoring", 50)
    assert said.startswith("Instance status: inference-server")
    assert len(said.splitlines()) > 1
    fetched = ml.online_deployments.get_logs("blue", "bank-scoring", 50, container_type="storage-initializer")
    assert "bank:1" in fetched
    assert len(ml.online_deployments.get_logs("blue", "bank-scoring", 1).splitlines()) == 2


def test_a_deployment_with_traffic_is_not_deleted_and_one_without_is(ml: Any, blue: Any, green: Any):
    give(ml, {"blue": 100})
    with pytest.raises(Exception, match="100 percent"):
        ml.online_deployments.begin_delete("blue", "bank-scoring").result()
    ml.online_deployments.begin_delete("green", "bank-scoring").result()
    assert [each.name for each in ml.online_deployments.list("bank-scoring")] == ["blue"]


def test_a_model_that_cannot_be_loaded_fails_with_the_cause_and_its_log_has_the_traceback(
    running: Running, ml: Any, endpoint: Any, tmp_path: Path
):
    folder = azure_models.model_folder(tmp_path / "model")
    (folder / "arrays.npz").write_bytes(b"cut off")
    model = azure_models.registered(running, "damaged", folder=folder)
    with pytest.raises(Exception, match="crashed or terminated") as caught:
        ml.online_deployments.begin_create_or_update(deployment("red", model)).result()
    assert caught.value.error.code == "ResourceNotReady"
    assert ml.online_deployments.get("red", "bank-scoring").provisioning_state == "Failed"
    assert "Traceback (most recent call last)" in ml.online_deployments.get_logs("red", "bank-scoring", 100)
    ml.online_deployments.begin_delete("red", "bank-scoring").result()


def test_a_fault_that_was_asked_for_ends_a_deployment_with_its_cause_once(
    running: Running, ml: Any, endpoint: Any, models: tuple[str, str]
):
    for fault, said in (("crash-at-start", "Traceback"), ("bad-liveness", "answered 502 Bad Gateway")):
        faults.of_folder(running.emulation.folder).add(faults.Fault(fault, target="faulty"))
        with pytest.raises(Exception, match="crashed or terminated"):
            ml.online_deployments.begin_create_or_update(deployment("faulty", models[0])).result()
        assert said in ml.online_deployments.get_logs("faulty", "bank-scoring", 100)
    again = ml.online_deployments.begin_create_or_update(deployment("faulty", models[0])).result()
    assert again.provisioning_state == "Succeeded"
    ml.online_deployments.begin_delete("faulty", "bank-scoring").result()


def test_code_of_a_client_is_refused_with_the_reason_where_it_may_not_run(
    ml: Any, endpoint: Any, models: tuple[str, str], tmp_path: Path
):
    (tmp_path / "score.py").write_text("def run(raw):\n    return raw\n")
    code = sdk.CodeConfiguration(code=str(tmp_path), scoring_script="score.py")
    image = sdk.Environment(image="mcr.microsoft.com/azureml/minimal-ubuntu22.04-py39-cpu-inference")
    with pytest.raises(Exception, match="--allow-code"):
        ml.online_deployments.begin_create_or_update(
            deployment("scripted", models[0], code_configuration=code, environment=image)
        ).result()
    assert ml.online_deployments.get("scripted", "bank-scoring").provisioning_state == "Failed"
    assert "--allow-code" in ml.online_deployments.get_logs("scripted", "bank-scoring", 10)
    ml.online_deployments.begin_delete("scripted", "bank-scoring").result()


def test_an_endpoint_that_is_deleted_is_gone_with_all_it_had(running: Running, ml: Any, models: tuple[str, str]):
    name = "Short-Lived"
    ml.online_endpoints.begin_create_or_update(sdk.ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
    ml.online_deployments.begin_create_or_update(deployment("only", models[0], name)).result()
    ml.online_endpoints.begin_delete(name).result()
    with pytest.raises(Exception, match="not found"):
        ml.online_endpoints.get(name)
    again = ml.online_endpoints.begin_create_or_update(sdk.ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
    assert (again.provisioning_state, again.traffic) == ("Succeeded", {})
    ml.online_endpoints.begin_delete(name).result()
    left = {each.name for each in running.emulation.workspace.endpoints.list() if each.state != "deleting"}
    assert left == {"bank-scoring"}
