"""The shipped pipeline, started by a REST call as any client would, and watched to its end."""

import json
import urllib.error
import urllib.request

import pytest
from waiting import wait_until

from core.definitions import shipped
from core.domain.job import JobState


def post(uri: str, key: str, body: dict[str, object]) -> dict[str, object]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(uri, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.loads(reply.read())


@pytest.fixture(scope="module")
def published(quickstart):
    (definition,) = [spec for spec in shipped() if spec.name == "Bankmarketing Train"]
    return quickstart.workspace.pipelines.publish(definition)


@pytest.fixture
def table(quickstart) -> str:
    """A table so small that some trial ends in any time, in a folder from which a REST call may read."""
    rows = [f"{20 + i % 40},{'red' if i % 3 else 'blue'},{'yes' if (i * 7) % 5 > 2 else 'no'}" for i in range(300)]
    path = quickstart.home / "read" / "people.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["age,colour,bought", *rows]))
    return str(path)


def test_a_rest_call_runs_prepare_automl_and_register(quickstart, published, table):
    parameters = {"data": table, "target": "bought", "timeout_s": 5, "model": "from-rest"}
    key = quickstart.workspace.service.key()
    started = post(published.trigger_uri, key, {"ExperimentName": "rest", "ParameterAssignments": parameters})
    assert set(started) == {"Id"}
    run_id = str(started["Id"])
    seen: set[tuple[str, str]] = set()

    def look():
        run = quickstart.workspace.pipelines.get_run(run_id)
        seen.update((step.name, step.state) for step in run.steps)
        return run if run.state.final else None

    run = wait_until(look, 120, every_s=0.1)
    assert run.state is JobState.SUCCEEDED, run
    assert run.experiment_name == "rest"
    assert [step.name for step in run.steps] == ["prepare", "automl", "register"]
    assert {("automl", "running"), ("automl", "succeeded")} <= seen
    automl = quickstart.workspace.jobs.get(run.steps[1].started_job_id)
    assert quickstart.workspace.models.get("from-rest").job_id == automl.id


def test_a_rest_call_without_the_key_starts_nothing(quickstart, published):
    before = quickstart.workspace.pipelines.list_runs(published.id)
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(published.trigger_uri, "wrong", {"ExperimentName": "rest"})
    assert refused.value.code == 401
    assert set(json.loads(refused.value.read())["error"]) == {"status", "message", "hint"}
    assert quickstart.workspace.pipelines.list_runs(published.id) == before
