"""Who sent a request is told by the key it came with: our own senders have keys of their own, and a client has none."""

import json

import pytest
from serving_fakes import KEY, SECOND_KEY, ServerProcess, digest
from waiting import wait_until

BATCH_KEY = "the-key-of-batches"
CLIENTS = [digest(KEY), digest(SECOND_KEY)]


@pytest.fixture
def origins(client):
    client.change(key_digests=[*CLIENTS, digest(BATCH_KEY)], origins={digest(BATCH_KEY): "batch"})
    return client


def recorded(client):
    client.close()
    return [record["origin"] for record in client.files.records()]


@pytest.mark.contract("T5")
def test_the_key_tells_who_sent_a_request(origins):
    for key in (KEY, BATCH_KEY, SECOND_KEY, "wrong", None):
        origins.score(key=key)
    assert recorded(origins) == ["", "batch", "", "", ""]


@pytest.mark.contract("T5")
@pytest.mark.parametrize(
    "name", ["origin", "x-origin", "slipway-origin", "x-slipway-origin", "x-request-origin", "user-agent", "from"]
)
def test_no_header_and_no_id_makes_a_client_another(origins, name):
    ids = dict.fromkeys(("x-request-id", "x-ms-client-request-id", "traceid"), "batch")
    assert origins.score(headers={name: "batch", **ids}).status_code == 200
    assert recorded(origins) == [""]


@pytest.mark.contract("T5")
def test_the_digest_of_a_key_opens_nothing(origins):
    assert origins.score(key=digest(BATCH_KEY)).status_code == 401


@pytest.mark.contract("K1", "T5")
def test_other_keys_of_clients_leave_our_own_in_force(origins):
    origins.change(key_digests=[digest("new"), digest("newer"), digest(BATCH_KEY)])
    assert [origins.score(key=key).status_code for key in (KEY, "new", BATCH_KEY)] == [401, 200, 200]
    assert recorded(origins) == ["", "", "batch"]


def test_an_endpoint_file_of_before_there_were_origins_is_read(client):
    assert "origins" not in client.files.content
    assert client.score().status_code == 200


@pytest.mark.contract("T3", "T5")
def test_the_real_server_keeps_the_inputs_of_clients_alone_and_its_log_tells_the_origin(tmp_path):
    known = {"key_digests": [*CLIENTS, digest(BATCH_KEY)], "origins": {digest(BATCH_KEY): "batch"}}
    server = ServerProcess(tmp_path, limits={"collect_model_data": True}, **known).start()
    try:
        assert [server.score(key).status_code for key in (BATCH_KEY, KEY, BATCH_KEY)] == [200] * 3
        wait_until(lambda: len(server.files.records()) == 3, 10)
        segments = wait_until(lambda: list((tmp_path / "model_data").glob("seg-*")), 10)
        wait_until(lambda: segments[0].read_text().endswith("\n"), 10)
    finally:
        server.end()
    records = server.files.records()
    assert [record["origin"] for record in records] == ["batch", "", "batch"]
    kept = [json.loads(line) for path in (tmp_path / "model_data").iterdir() for line in path.read_text().splitlines()]
    assert [sample["request_id"] for sample in kept] == [records[1]["request_id"]]
    assert server.log.read_text().count('"origin":"batch"') == 2
