"""Pipelines by REST, over a real workspace: who may do what, repeats, both of Azure's bodies, a full queue."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from core.domain.errors import SpecInvalid
from core.domain.job import JobState
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind
from core.local.service.door import app
from core.local.service.door_bodies import decode
from core.local.store import Store
from core.local.workspace import open_local
from core.settings import read_settings

KEY = "the-services-key"
NAME = "Größe & Zeit"
JOBS = f"/pipelines/{quote(NAME, safe='')}/jobs"
SDK = {"ExperimentName": "nightly", "ParameterAssignments": {"data": "people"}}
DAY_S = 24 * 3600


def spec(name: str) -> PipelineSpec:
    return PipelineSpec(
        name,
        (
            PipelineStep("prepare", StepKind.PREPARE, settings={"data": "${data}"}),
            PipelineStep(
                "automl",
                StepKind.AUTOML,
                settings={"target": "y", "max_trials": "${trials}", "timeout_s": "${seconds}", "exclude": "${exclude}"},
            ),
        ),
        parameters=(
            Parameter("data", ParameterType.DATA, "people"),
            Parameter("trials", ParameterType.INTEGER, 3),
            Parameter("seconds", ParameterType.NUMBER, 60.0),
            Parameter("exclude", ParameterType.LIST, []),
        ),
    )


@dataclass
class Rest:
    """A workspace with two pipelines, and clients of its door; nobody works, so runs wait."""

    home: Path
    now: float = 1_000_000.0
    queued: str = "500"
    pokes: int = 0

    def __post_init__(self) -> None:
        self.settings = read_settings({}, home=str(self.home), offline="1", runs_max_queued=self.queued)
        self.workspace = open_local(self.settings, self.clock)
        self.store = Store(self.home / "slipway.db")
        self.workspace.pipelines.publish(spec(NAME))
        self.workspace.pipelines.publish(spec("other"))

    def clock(self) -> float:
        """A little later each time: what comes after another thing is newer."""
        self.now += 1e-6
        return self.now

    def client(self, key: str = KEY) -> TestClient:
        entry = app(self.workspace, KEY, self.poke, keys=self.store.pipelines.all_keys)
        headers = {"Authorization": f"Bearer {key}"}
        return TestClient(entry, "http://127.0.0.1:1234", headers=headers, raise_server_exceptions=False)

    def poke(self) -> None:
        self.pokes += 1


@pytest.fixture
def rest(tmp_path: Path) -> Rest:
    return Rest(tmp_path / "home")


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Rest:
    """One for all that is refused: nothing was ever started in it."""
    return Rest(tmp_path_factory.mktemp("refusing") / "home")


def said(reply: Any, status: int) -> str:
    assert reply.status_code == status, reply.text
    assert set(reply.json()["error"]) == {"status", "message", "hint"}
    return str(reply.json()["error"]["message"])


# What a pipeline's own key opens


def test_a_pipelines_key_starts_and_watches_its_runs(rest: Rest) -> None:
    keys = rest.workspace.pipelines.keys(NAME)
    for key in (keys.primary, keys.secondary):
        own = rest.client(key)
        run_id = own.post(JOBS, json=SDK).json()["Id"]
        assert own.post(f"/pipelines/{quote(NAME)}", json=SDK).status_code == 200
        assert own.get(f"{JOBS}/{run_id}").json()["state"] == "queued"
        assert own.get(f"/runs/{run_id}").json()["id"] == run_id
        assert run_id in [run["id"] for run in own.get(JOBS).json()]
        assert own.get(f"/pipelines/{quote(NAME)}").json()["name"] == NAME
        version_id = rest.workspace.pipelines.get(NAME).id
        assert own.post(f"/pipelines/{version_id}", json=SDK).status_code == 200


def test_a_pipelines_key_opens_nothing_else(rest: Rest) -> None:
    own, run_id = rest.client(rest.workspace.pipelines.keys("other").primary), rest.client().post(JOBS, json=SDK).json()
    foreign, mine = run_id["Id"], rest.client().post("/pipelines/other/jobs", json=SDK).json()["Id"]
    closed = ["/pipelines", "/jobs", f"/jobs/{mine}", JOBS, f"{JOBS}/{foreign}", f"/runs/{foreign}", "/swagger.json"]
    closed += [
        f"/pipelines/{quote(NAME)}",
        "/pipelines/nobody",
        "/runs/nothing",
        f"{JOBS}/{foreign}/steps/prepare/logs",
    ]
    for path in closed:
        assert "nothing else" in said(own.get(path), 403)
    for path in (JOBS, f"/pipelines/{quote(NAME)}", f"/pipelines/other/jobs/{mine}/cancel", f"/jobs/{mine}/cancel"):
        said(own.post(path, json=SDK), 403)
    said(own.post(f"/pipelines/other/jobs/{mine}/retry"), 403)
    said(own.post("/poke"), 403)
    assert "has no run" in said(own.get(f"/pipelines/other/jobs/{foreign}"), 404)
    assert {run.state for run in rest.workspace.pipelines.list_runs()} == {JobState.QUEUED}
    assert len(rest.workspace.pipelines.list_runs()) == 2


def test_a_replaced_key_opens_nothing_from_that_moment_and_the_other_one_still_does(rest: Rest) -> None:
    old = rest.workspace.pipelines.keys(NAME)
    first, second = rest.client(old.primary), rest.client(old.secondary)
    assert first.get(JOBS).status_code == 200
    new = rest.workspace.pipelines.rotate_key(NAME, "primary")
    refused = first.get(JOBS)
    said(refused, 401)
    assert refused.headers["www-authenticate"] == "Bearer"
    assert second.get(JOBS).status_code == rest.client(new.primary).get(JOBS).status_code == 200


def test_the_services_key_opens_every_pipeline(rest: Rest) -> None:
    everything = rest.client()
    for path in ("/pipelines", "/pipelines/other", "/pipelines/other/jobs", JOBS, "/swagger.json", "/jobs"):
        assert everything.get(path).status_code == 200


@pytest.mark.parametrize("name", ["a/b", "..", ".", " ", "", "a:7", "a\nb", "x" * 201])
def test_a_name_that_no_address_can_hold_is_not_published(refusing: Rest, name: str) -> None:
    with pytest.raises(SpecInvalid):
        refusing.workspace.pipelines.publish(replace(spec("p"), name=name))


# Runs below their pipeline


def test_a_run_is_watched_canceled_and_retried_below_its_pipeline(rest: Rest) -> None:
    client = rest.client()
    run_id = client.post(f"{JOBS}?version=1", json=SDK).json()["Id"]
    shown = client.get(f"{JOBS}/{run_id}").json()
    assert (shown["id"], shown["name"], shown["properties"]["status"]) == (run_id, run_id, "Queued")
    assert client.post(f"{JOBS}/{run_id}/cancel").json()["state"] == "canceled"
    assert client.get(f"{JOBS}/{run_id}").json()["properties"]["status"] == "Canceled"
    again = client.post(f"{JOBS}/{run_id}/retry").json()
    assert (again["retry_of"], again["state"]) == (run_id, "queued")
    said(client.post(f"{JOBS}/{again['id']}/retry"), 409)
    assert [run["id"] for run in client.get(f"{JOBS}?state=canceled").json()] == [run_id]
    assert [run["id"] for run in client.get(f"{JOBS}?before={again['id']}&limit=5").json()] == [run_id]


def test_another_pipelines_run_is_not_found_under_this_name(rest: Rest) -> None:
    client = rest.client()
    foreign = client.post("/pipelines/other/jobs", json=SDK).json()["Id"]
    for method, path in (
        ("GET", f"{JOBS}/{foreign}"),
        ("POST", f"{JOBS}/{foreign}/cancel"),
        ("POST", f"{JOBS}/{foreign}/retry"),
        ("GET", f"{JOBS}/{foreign}/steps/prepare/logs"),
        ("GET", f"{JOBS}/{foreign}/steps/prepare/outputs/file"),
        ("GET", f"{JOBS}?before={foreign}"),
        ("GET", f"{JOBS}/nothing"),
    ):
        assert "has no run" in said(client.request(method, path), 404)
    assert client.get(f"/runs/{foreign}").json()["state"] == "queued"


@pytest.mark.parametrize("query", ["state=nonsense", "limit=0", "limit=1001", "state=queued&state=failed", "state="])
def test_a_list_of_runs_that_makes_no_sense_is_refused(refusing: Rest, query: str) -> None:
    said(refusing.client().get(f"{JOBS}?{query}"), 400)


def test_a_version_that_is_not_there_is_not_started(refusing: Rest) -> None:
    assert "has no version 7" in said(refusing.client().post(f"{JOBS}?version=7", json=SDK), 404)
    for version in ("0", "x", "1&version=2", "9" * 30):
        said(refusing.client().post(f"{JOBS}?version={version}", json=SDK), 400)
    assert refusing.workspace.pipelines.list_runs() == ()


def test_a_named_version_runs_though_another_is_the_default(rest: Rest) -> None:
    rest.workspace.pipelines.publish(replace(spec(NAME), description="newer"))
    client = rest.client()
    ids = [client.post(f"{JOBS}{query}", json=SDK).json()["Id"] for query in ("", "?version=1")]
    assert [rest.workspace.pipelines.get_run(run_id).version for run_id in ids] == [2, 1]


# The form of a batch endpoint


def batch(inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"properties": {"inputData": inputs, **more}}


def literal(value: Any) -> dict[str, Any]:
    return {"jobInputType": "Literal", "value": value}


def test_the_body_of_a_batch_endpoint_starts_a_run_that_its_location_shows(rest: Rest) -> None:
    client = rest.client()
    inputs = {"trials": literal("5"), "seconds": literal("7.5"), "exclude": literal('["age"]')}
    table = {"jobInputType": "uri_file", "uri": "azureml:people:1"}  # as Azure's control plane spells it
    reply = client.post(JOBS, json=batch({**inputs, "data": table}, experimentName="nightly", displayName="x"))
    made = reply.json()
    assert (reply.status_code, made["properties"]["status"], made["id"]) == (201, "Queued", made["name"])
    run = rest.workspace.pipelines.get_run(made["name"])
    assert run.parameters == {"data": "people:1", "trials": 5, "seconds": 7.5, "exclude": ["age"]}
    assert (run.experiment_name, run.origin) == ("nightly", "rest")
    assert reply.headers["location"] == f"http://127.0.0.1:1234{JOBS}/{run.id}"
    assert client.get(reply.headers["location"]).json()["properties"]["experimentName"] == "nightly"


def test_azures_documentation_writes_the_names_with_capitals(rest: Rest) -> None:
    body = {"Properties": {"InputData": {"trials": {"JobInputType": "Literal", "Value": "4"}}}}
    run_id = rest.client().post(JOBS, json=body).json()["name"]
    run = rest.workspace.pipelines.get_run(run_id)
    assert (run.parameters["trials"], run.experiment_name) == (4, NAME)


ARM = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"


@pytest.mark.parametrize(
    ("uri", "meant"),
    [
        (f"{ARM}/data/people/versions/3", "people:3"),
        ("azureml://locations/l/workspaces/w/data/people/versions/3", "people:3"),
        ("azureml:people@latest", "people@latest"),
        ("people", "people"),
        ("file:///tables/old%20people.csv", "/tables/old people.csv"),
        ("file:people.csv", "file:people.csv"),
    ],
)
def test_a_data_asset_is_understood_as_azures_clients_name_it(uri: str, meant: str) -> None:
    body = b'{"properties": {"inputData": {"data": {"jobInputType": "UriFolder", "uri": "%s"}}}}' % uri.encode()
    assert decode(body).parameters(spec("p").parameters) == {"data": meant}


@pytest.mark.parametrize(
    "body",
    [
        {"properties": {}, "Properties": {}},
        {"properties": []},
        {"properties": {"inputData": {"trials": 5}}},
        {"properties": {"inputData": {"trials": {"jobInputType": "Literal"}}}},
        {"properties": {"inputData": {"trials": {"jobInputType": "Magic", "value": 1}}}},
        {"properties": {"inputData": {"data": {"jobInputType": "UriFile", "value": "x"}}}},
        {"properties": {"outputData": {"o": {}}}},
        {"properties": {"compute": "gpu"}},
        {"properties": {}, "ExperimentName": "x"},
        batch({"trials": literal("five")}),
        batch({"trials": literal("5.5")}),
        batch({"trials": literal("true")}),
        batch({"exclude": literal("[1")}),
        batch({"nothing": literal("5")}),
    ],
)
def test_a_batch_body_that_makes_no_sense_starts_nothing(refusing: Rest, body: dict[str, Any]) -> None:
    said(refusing.client().post(JOBS, json=body), 400)
    assert refusing.workspace.pipelines.list_runs() == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["properties", "inputData", "jobInputType", "value", "uri", "Literal"]) | st.text(), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=50, derandomize=True, deadline=None)
@given(JSON)
def test_any_document_is_understood_or_refused_in_a_sentence(document: Any) -> None:
    with suppress(SpecInvalid):
        decode(msgspec.json.encode(document)).parameters(spec("p").parameters)


# The same request again


@pytest.mark.parametrize("header", ["repeatability-request-id", "Idempotency-Key"])
def test_a_repeated_request_gives_the_run_that_it_started(rest: Rest, header: str) -> None:
    for body in (SDK, batch({"data": literal("people")})):
        client, headers = rest.client(), {header: f"a-{len(body)}-{header}-{'properties' in body}"}
        first = client.post(JOBS, json=body, headers=headers)
        run_id = first.json().get("Id") or first.json()["name"]
        rest.workspace.pipelines.cancel(run_id)
        rest.workspace.pipelines.publish(replace(spec(NAME), description=f"newer {header} {headers}"))
        rest.workspace.pipelines.enable(NAME, False)
        again = client.post(JOBS, json=body, headers=headers)
        rest.workspace.pipelines.enable(NAME, True)
        assert (again.status_code, again.json()) == (first.status_code, first.json())
        assert again.headers.get("location") == first.headers.get("location")
    assert len(rest.workspace.pipelines.list_runs()) == 2


def test_the_same_key_with_another_body_is_refused(rest: Rest) -> None:
    client, headers = rest.client(), {"Idempotency-Key": "k"}
    client.post(JOBS, json=SDK, headers=headers)
    for other in (SDK | {"ExperimentName": "other"}, SDK | {"ParameterAssignments": {"data": "people", "trials": 9}}):
        assert "idempotency key" in said(client.post(JOBS, json=other, headers=headers), 409)
    said(client.post(f"{JOBS}?version=1", json=SDK, headers=headers), 409)
    assert len(rest.workspace.pipelines.list_runs()) == 1


def test_each_pipeline_has_repeat_keys_of_its_own_and_a_day_ends_them(rest: Rest) -> None:
    client, headers = rest.client(), {"Idempotency-Key": "k"}
    first = client.post(JOBS, json=SDK, headers=headers).json()
    assert client.post("/pipelines/other/jobs", json=SDK, headers=headers).json() != first
    rest.now += DAY_S - 1
    assert client.post(JOBS, json=SDK, headers=headers).json() == first
    rest.now += 1
    assert client.post(JOBS, json=SDK, headers=headers).json() != first
    assert len(rest.workspace.pipelines.list_runs()) == 3


def test_what_is_too_old_to_count_is_not_kept(rest: Rest) -> None:
    client = rest.client()
    for key in ("a", "b", "c"):
        client.post(JOBS, json=SDK, headers={"Idempotency-Key": key})
    rest.now += DAY_S
    client.post(JOBS, json=SDK, headers={"Idempotency-Key": "d"})
    kept = rest.store._database.rows("SELECT repeat_key FROM triggers")
    assert [row["repeat_key"] for row in kept] == ["d"]


@pytest.mark.parametrize(
    "headers",
    [
        [("Idempotency-Key", "a"), ("repeatability-request-id", "b")],
        [("Idempotency-Key", "a"), ("Idempotency-Key", "b")],
        [("Idempotency-Key", "")],
        [("Idempotency-Key", "a b")],
        [("Idempotency-Key", "k" * 129)],
        [("Idempotency-Key", b"\xe9")],
    ],
)
def test_a_repeat_key_that_makes_no_sense_starts_nothing(refusing: Rest, headers: list[tuple[str, str]]) -> None:
    client = refusing.client()
    said(client.post(JOBS, json=SDK, headers=[*client.headers.items(), *headers]), 400)
    assert refusing.workspace.pipelines.list_runs() == ()


def test_both_headers_may_carry_the_same_key(rest: Rest) -> None:
    headers = {"Idempotency-Key": "k" * 128, "repeatability-request-id": "k" * 128}
    assert rest.client().post(JOBS, json=SDK, headers=headers).status_code == 200


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(act, range(count)))


def test_twenty_identical_requests_at_once_start_one_run(rest: Rest) -> None:
    client = rest.client()
    replies = at_once(20, lambda _: client.post(JOBS, json=SDK, headers={"Idempotency-Key": "k"}))
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.json()["Id"] for reply in replies}) == 1
    assert len(rest.workspace.pipelines.list_runs()) == 1


# The queue


def test_a_full_queue_says_when_to_come_again(tmp_path: Path) -> None:
    rest = Rest(tmp_path / "home", queued="2")
    client = rest.client()
    assert [client.post(JOBS, json=SDK).status_code for _ in range(2)] == [200, 200]
    refused = client.post(JOBS, json=SDK, headers={"Idempotency-Key": "k"})
    assert "2 pipeline runs wait already" in said(refused, 429)
    assert int(refused.headers["retry-after"]) > 0
    rest.workspace.pipelines.cancel(rest.workspace.pipelines.list_runs()[0].id)
    assert client.post(JOBS, json=SDK, headers={"Idempotency-Key": "k"}).status_code == 200


def test_fifty_triggers_at_once_find_no_locked_store(rest: Rest) -> None:
    client = rest.client()
    replies = at_once(50, lambda i: client.post(JOBS, json=SDK | {"ExperimentName": str(i)}))
    assert [reply.status_code for reply in replies] == [200] * 50
    runs = rest.workspace.pipelines.list_runs(NAME, 100)
    assert sorted(run.number for run in runs) == list(range(1, 51))
