"""Faults on demand: each one that is asked for changes what the SDK comes to, and nothing else goes wrong."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import emulating
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.errors import SpecInvalid
from core.emulator.faults import KINDS, Fault, Faults, of_folder, of_header, read
from core.emulator.messages import Request
from core.emulator.server import Running

CONTROL = "https://emulation.slipway.internal/faults"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulating.emulation(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.fixture
def faults(running: Running) -> Iterator[Faults]:
    found = of_folder(running.emulation.folder)
    yield found
    found.clear()


@pytest.fixture(scope="module")
def ml(running: Running) -> Any:
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    names = running.emulation.names
    return MLClient(
        DefaultAzureCredential(),
        names.subscription,
        names.resource_group,
        names.workspace,
        enable_telemetry=False,
        retry_total=2,
    )


def get(ml: Any) -> Any:
    return ml.workspaces.get(ml.workspace_name)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("unauthorized", 401, "InvalidAuthenticationToken"),
        ("expired-token", 401, "ExpiredAuthenticationToken"),
        ("forbidden", 403, "AuthorizationFailed"),
        ("not-found", 404, "ResourceNotFound"),
        ("conflict", 409, "Conflict"),
    ],
)
def test_a_refusal_reaches_whoever_asks_once(faults: Faults, ml: Any, kind: str, status: int, code: str) -> None:
    from azure.core.exceptions import HttpResponseError

    faults.add(Fault(kind, "GET", "/workspaces/"))
    with pytest.raises(HttpResponseError) as refused:
        get(ml)
    assert (refused.value.status_code, refused.value.error.code) == (status, code)
    assert get(ml).name == ml.workspace_name


def test_who_is_throttled_waits_as_long_as_is_said_and_then_gets_it(faults: Faults, ml: Any) -> None:
    faults.add(Fault("throttled", path="/workspaces/", seconds=0.5))
    started = time.monotonic()
    assert get(ml).name == ml.workspace_name
    assert time.monotonic() - started >= 0.5


def test_who_is_throttled_every_time_is_told_so_in_the_end(faults: Faults, ml: Any) -> None:
    from azure.core.exceptions import HttpResponseError

    faults.add(Fault("throttled", path="/workspaces/", seconds=0.01, times=0))
    with pytest.raises(HttpResponseError) as refused:
        get(ml)
    assert refused.value.status_code == 429


def test_a_server_error_that_lasts_ends_the_sdks_patience(faults: Faults, ml: Any) -> None:
    from azure.core.exceptions import HttpResponseError

    faults.add(Fault("server-error", path="/workspaces/", times=0))
    with pytest.raises(HttpResponseError) as refused:
        get(ml)
    assert refused.value.status_code == 500


def test_a_server_error_that_passes_is_tried_again(faults: Faults, ml: Any) -> None:
    faults.add(Fault("server-error", path="/workspaces/", times=2))
    assert get(ml).name == ml.workspace_name
    assert faults.all() == ()


def test_a_dropped_connection_is_one_for_the_client(faults: Faults) -> None:
    faults.add(Fault("dropped", path="/workspaces/"))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        httpx.get("https://management.azure.com/subscriptions/s/resourceGroups/g/workspaces/w")


def test_a_dropped_connection_is_tried_again_by_the_sdk(faults: Faults, ml: Any) -> None:
    faults.add(Fault("dropped", path="/workspaces/"))
    assert get(ml).name == ml.workspace_name
    assert faults.all() == ()


def test_a_field_of_a_wrong_type_comes_through_in_silence(faults: Faults, ml: Any) -> None:
    faults.add(Fault("wrong-type", "GET", "/workspaces/", field="properties.description"))
    assert get(ml).description == "{'wrong': 'type'}"
    assert get(ml).description.startswith("An emulation")


def cluster(name: str) -> Any:
    from azure.ai.ml.entities import AmlCompute

    return AmlCompute(name=name, size="Standard_DS3_v2", max_instances=1)


def test_an_operation_that_fails_is_told_with_status_200_and_its_resource_is_failed(faults: Faults, ml: Any) -> None:
    from azure.core.exceptions import HttpResponseError

    faults.add(Fault("failed-operation", "PUT", "/computes/"))
    with pytest.raises(HttpResponseError) as failed:
        ml.compute.begin_create_or_update(cluster("fails")).result()
    assert failed.value.status_code == 200
    assert "internal server error" in str(failed.value)
    assert ml.compute.get("fails").provisioning_state == "Failed"
    assert ml.compute.begin_create_or_update(cluster("fails")).result().provisioning_state == "Succeeded"


def test_a_deletion_that_fails_leaves_what_was_there(faults: Faults, ml: Any) -> None:
    from azure.core.exceptions import HttpResponseError

    ml.compute.begin_create_or_update(cluster("stays")).result()
    faults.add(Fault("failed-operation", "DELETE", "/computes/"))
    with pytest.raises(HttpResponseError):
        ml.compute.begin_delete("stays").result()
    assert ml.compute.get("stays").provisioning_state == "Succeeded"


def test_a_slow_operation_takes_as_much_longer_as_was_asked_for(faults: Faults, ml: Any) -> None:
    faults.add(Fault("slow-operation", "PUT", "/computes/", seconds=0.6))
    started = time.monotonic()
    ml.compute.begin_create_or_update(cluster("slow")).result()
    assert time.monotonic() - started >= 0.6


def test_without_quota_there_is_no_cluster_and_nothing_is_left_of_it(faults: Faults, ml: Any) -> None:
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    faults.add(Fault("quota", target="big"))
    with pytest.raises(HttpResponseError, match="quota"):
        ml.compute.begin_create_or_update(cluster("big")).result()
    with pytest.raises(ResourceNotFoundError):
        ml.compute.get("big")


def test_a_header_asks_for_a_fault_of_its_request(running: Running) -> None:
    path = running.emulation.names.workspace_path
    answered = httpx.get(
        f"https://management.azure.com{path}?api-version=2023-10-01", headers={"x-slipway-fault": "429; seconds=7"}
    )
    assert answered.status_code == 429
    assert answered.headers["retry-after"] == "7"


def test_a_header_that_asks_for_nothing_known_is_told_so(running: Running) -> None:
    answered = httpx.get("https://management.azure.com/subscriptions", headers={"x-slipway-fault": "gremlins"})
    assert answered.status_code == 400
    assert "gremlins" in answered.json()["error"]["message"]


def test_the_control_host_adds_lists_and_clears(running: Running, faults: Faults) -> None:
    made = httpx.post(CONTROL, json={"kind": "503"})
    assert made.status_code == 400
    made = httpx.post(CONTROL, json={"kind": "429", "times": 3, "path": "jobs"})
    assert (made.status_code, made.json()["kind"]) == (201, "throttled")
    listed = httpx.get(CONTROL).json()
    assert [each["id"] for each in listed["faults"]] == [made.json()["id"]]
    assert set(listed["kinds"]) == set(KINDS)
    assert httpx.delete(f"{CONTROL}/{made.json()['id']}").json() == {"cleared": 1}
    assert faults.all() == ()


def test_nobody_is_kept_from_signing_in_by_a_fault_of_everything(running: Running, faults: Faults) -> None:
    faults.add(Fault("server-error", times=0))
    names = running.emulation.names
    form = {"grant_type": "client_credentials", "client_id": names.client, "client_secret": running.emulation.secret}
    answered = httpx.post(f"https://login.microsoftonline.com/{names.tenant}/oauth2/v2.0/token", data=form)
    assert answered.status_code == 200


def test_faults_outlive_the_emulation_and_are_the_owners_alone(tmp_path: Path) -> None:
    Faults(tmp_path).add(Fault("conflict"))
    assert [each.kind for each in Faults(tmp_path).all()] == ["conflict"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_fault_happens_as_often_as_it_was_asked_for(tmp_path: Path) -> None:
    faults = Faults(tmp_path)
    faults.add(Fault("conflict", times=2))
    assert [faults.take(lambda each: True) is not None for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("fault", "fits"),
    [
        (Fault("conflict"), True),
        (Fault("conflict", "put"), True),
        (Fault("conflict", "GET"), False),
        (Fault("conflict", path="ONLINEendpoints"), True),
        (Fault("conflict", path="*/deployments/*"), True),
        (Fault("conflict", path="*/jobs/*"), False),
        (Fault("conflict", target="Blue"), True),
        (Fault("conflict", target="green"), False),
    ],
)
def test_which_requests_a_fault_meets(fault: Fault, fits: bool) -> None:
    asked = Request("PUT", "management.azure.com", "/x/onlineEndpoints/e/deployments/blue")
    assert fault.fits(asked) is fits


@settings(max_examples=25)
@given(
    st.builds(
        Fault,
        st.sampled_from(sorted(KINDS)),
        st.sampled_from(["", "GET", "PUT"]),
        st.text(max_size=20),
        st.text(max_size=10),
        st.integers(0, 9),
        st.floats(0, 1000),
    )
)
def test_a_fault_is_read_as_it_was_written(fault: Fault) -> None:
    from dataclasses import asdict

    assert read(json.loads(json.dumps(asdict(fault)))) == fault


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_any_header_is_a_fault_or_refused(text: str) -> None:
    with suppress(SpecInvalid):
        assert of_header(text).kind in KINDS
