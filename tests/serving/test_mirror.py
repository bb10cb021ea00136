"""Copies of requests, scored beside the request's path; and values, kept where somebody asked for it."""

import asyncio
import json

import pytest
from serving_fakes import BODY, KEY, Client, EndpointFiles, ServerProcess
from waiting import wait_until

MIRRORED = {"v1": EndpointFiles.deployment("one"), "v2": EndpointFiles.deployment("two", 2)}


def mirrored(files: EndpointFiles) -> list[dict]:
    return [record for record in files.records() if record["mirrored"]]


@pytest.fixture
def client(files):
    made = Client(files)
    made.change(deployments=MIRRORED, mirror={"v2": 50})
    yield made
    made.close()


@pytest.mark.contract("K5")
def test_a_mirrored_request_is_answered_by_the_live_deployment_and_recorded_for_both(client, files):
    reply = client.score(headers={"x-request-id": "seen-twice"})
    assert reply.headers["azureml-model-deployment"] == "v1"
    wait_until(lambda: len(files.records()) == 2, 10)
    (copy,) = mirrored(files)
    assert (copy["deployment"], copy["status"], copy["request_id"], copy["rows"]) == ("v2", 200, "seen-twice", 1)
    assert [(r["deployment"], r["mirrored"]) for r in files.records()].count(("v1", False)) == 1
    assert 'deployment="v2"' not in client.get("/metrics").text


@pytest.mark.contract("K5")
def test_only_the_given_share_is_mirrored(client):
    client.draws[0] = 0.5
    client.score()
    assert "two" not in client.loader.made or client.loader.made["two"].calls == []


@pytest.mark.contract("K5")
def test_what_goes_wrong_in_a_mirror_is_recorded_and_hurts_nobody(client, files):
    client.loader.made["two"].failures.append(ValueError("a secret value"))
    assert client.score().status_code == 200
    wait_until(lambda: mirrored(files), 10)
    assert [(r["status"], r["problem"]) for r in mirrored(files)] == [(424, "ModelFailed")]


@pytest.mark.contract("K5")
def test_a_slow_mirror_delays_nobody_and_copies_beyond_its_room_are_left_out(client):
    slow = client.loader.made["two"]
    slow.held.clear()

    async def crowd():
        headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
        sent = [client.send("POST", "/score", content=BODY, headers=headers) for _ in range(70)]
        return [reply.status_code for reply in await asyncio.gather(*sent)]

    assert client.run(crowd()) == [200] * 70
    assert "slipway_mirror_dropped_total 6" in client.get("/metrics").text
    slow.held.set()


@pytest.mark.contract("K5")
def test_copies_of_large_requests_wait_only_up_to_their_size(client):
    slow = client.loader.made["two"]
    slow.held.clear()
    large = BODY + b" " * 10_000_000
    assert [client.score(large).status_code for _ in range(5)] == [200] * 5
    assert "slipway_mirror_dropped_total 2" in client.get("/metrics").text
    slow.held.set()
    wait_until(lambda: len(slow.calls) == 3, 10)
    assert client.score(large).status_code == 200
    wait_until(lambda: len(slow.calls) == 4, 10)


@pytest.mark.contract("T3")
def test_values_are_kept_only_where_somebody_asked_for_it(tmp_path):
    server = ServerProcess(tmp_path, limits={}).start()
    folder = tmp_path / "model_data"
    try:
        assert server.score().status_code == 200
        server.files.write(limits={"collect_model_data": True})
        wait_until(lambda: server.status().get("version") == server.files.content["version"], 10)
        assert server.score().status_code == 200
        wait_until(lambda: list(folder.glob("seg-*")), 10)
        assert server.get("/").status_code == 200
        (segment,) = folder.glob("seg-*")
        wait_until(segment.read_bytes, 10)
        kept = [json.loads(line) for line in segment.read_text().splitlines()]
        assert len(kept) == 1
        assert len(kept[0]["columns"]) == len(kept[0]["data"]) > 5
        assert kept[0]["reply"].keys() == {"result"}
        assert segment.stat().st_mode & 0o777 == 0o600
        assert str(kept[0]["data"][1][0]) not in server.log.read_text().splitlines()
    finally:
        server.end()
