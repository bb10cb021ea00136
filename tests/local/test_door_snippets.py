"""Real clients over real sockets: those that the app shows, Azure ML's sample, and a hundred at once."""

import http.client
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import requests

from core.contract.pipeline_snippets import pipeline_snippets
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind
from core.local.machine import ports
from core.local.service.door import Door
from core.local.store import Store
from core.local.workspace import open_local
from core.settings import read_settings
from core.workspace import Workspace

NAME = 'Größe\'s "own" $(x)'
HARD: dict[str, object] = {"data": 'it\'s "odd" $(x) `y` \\ é\n', "exclude": ["a'b", "ö"], "trials": 7}


@dataclass
class Open:
    """A door that listens, over a workspace with one pipeline; nobody works, so runs wait."""

    workspace: Workspace
    url: str
    uri: str
    key: str


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    home = tmp_path_factory.mktemp("door") / "home"
    workspace = open_local(read_settings({}, home=str(home), offline="1", runs_max_queued="130"))
    steps = (
        PipelineStep("prepare", StepKind.PREPARE, settings={"data": "${data}"}),
        PipelineStep(
            "automl", StepKind.AUTOML, settings={"target": "y", "max_trials": "${trials}", "exclude": "${exclude}"}
        ),
    )
    parameters = (
        Parameter("data", ParameterType.DATA, "people"),
        Parameter("trials", ParameterType.INTEGER, 3),
        Parameter("exclude", ParameterType.LIST, []),
    )
    published = workspace.pipelines.publish(PipelineSpec(NAME, steps, parameters=parameters))
    listener = ports.listen(0, "door")
    url = f"http://{ports.HOST}:{listener.getsockname()[1]}"
    keys = Store(home / "slipway.db").pipelines.all_keys
    with Door(workspace, "the-services-key", listener, lambda: None, keys=keys):
        key = workspace.pipelines.keys(published.id).primary
        yield Open(workspace, url, f"{url}{published.trigger_uri}", key)


def ran(command: list[str], door: Open, text: str) -> str:
    environ = {"PATH": os.environ["PATH"], "SLIPWAY_KEY": door.key}
    done = subprocess.run(command, input=text, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_client_starts_a_run_and_sees_it(door: Open) -> None:
    text = pipeline_snippets(door.uri, HARD, experiment_name="by-python")["python"].text
    run_id, state = ran([sys.executable, "-"], door, text).split()
    run = door.workspace.pipelines.get_run(run_id)
    assert (state, run.experiment_name, dict(run.parameters)) == ("queued", "by-python", HARD)


def test_the_curl_client_starts_a_run(door: Open) -> None:
    text = pipeline_snippets(door.uri, HARD, experiment_name="by-curl")["curl"].text
    reply = ran(["sh"], door, text) if shutil.which("curl") else sent_by_hand(door, text)
    run = door.workspace.pipelines.get_run(json.loads(reply)["Id"])
    assert (run.experiment_name, dict(run.parameters)) == ("by-curl", HARD)


def sent_by_hand(door: Open, text: str) -> str:
    """What curl would send, where there is none."""
    words = shlex.split(text.replace("\\\n", " ").replace("$SLIPWAY_KEY", door.key))
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    return requests.post(words[1], data=words[-1], headers=headers, timeout=10).text


def test_what_azures_command_line_sends_starts_a_run(door: Open) -> None:
    words = shlex.split(pipeline_snippets(door.uri, HARD)["az"].text.replace("\\\n", " "))
    assert words[:3] == ["az", "rest", "--method"]
    reply = requests.post(
        words[words.index("--url") + 1],
        data=words[words.index("--body") + 1],
        headers={"Authorization": f"Bearer {door.key}"},
        timeout=10,
    )
    assert reply.status_code == 201
    assert dict(door.workspace.pipelines.get_run(reply.json()["name"]).parameters) == HARD
    assert requests.get(reply.headers["Location"], headers=reply.request.headers, timeout=10).status_code == 200


def test_no_client_holds_a_key_and_each_names_its_address(door: Open) -> None:
    for made in pipeline_snippets(door.uri, {}).values():
        assert "SLIPWAY_KEY" in made.text
        assert door.uri in made.text
        assert door.key not in made.text


def test_azures_sample_works_with_only_the_address_and_the_header_changed(door: Open) -> None:
    rest_endpoint, auth_header = door.uri, {"Authorization": f"Bearer {door.key}"}
    response = requests.post(rest_endpoint, headers=auth_header, json={"ExperimentName": "pipeline-rest-endpoint"})
    response.raise_for_status()
    run_id = response.json().get("Id")
    assert door.workspace.pipelines.get_run(run_id).experiment_name == "pipeline-rest-endpoint"


def test_a_hundred_triggers_at_once_are_accepted_or_told_why(door: Open) -> None:
    """As many clients as there are triggers, each with a connection of its own; measured: 1.2 s for all."""
    waiting = len(door.workspace.pipelines.list_runs(NAME, 500))
    host, path = door.uri.removeprefix("http://").split("/", 1)

    def post(number: int) -> tuple[int, str]:
        connection = http.client.HTTPConnection(host, timeout=30)
        headers = {"Authorization": f"Bearer {door.key}", "Idempotency-Key": f"at-once-{number}"}
        connection.request("POST", f"/{path}", json.dumps({"ExperimentName": str(number)}), headers)
        reply = connection.getresponse()
        told = json.loads(reply.read())
        connection.close()
        return reply.status, told["Id"] if reply.status == 200 else told["error"]["message"]

    began = time.monotonic()
    with ThreadPoolExecutor(140) as pool:
        replies = list(pool.map(post, range(140)))
    took_s = time.monotonic() - began

    counts = Counter(status for status, _ in replies)
    assert counts == {200: 130 - waiting, 429: 10 + waiting}
    assert len({told for status, told in replies if status == 200}) == counts[200]
    assert {told for status, told in replies if status == 429} == {"130 pipeline runs wait already"}
    assert took_s < 20
