"""Values of requests are kept of the share that was asked for, and never of a masked column."""

import json
import threading
from dataclasses import replace

import httpx
import numpy as np
import pytest
from serving_fakes import BANK_BODY, KEY, ROW, Client, ServerProcess
from signatures import mixed_signature
from waiting import wait_until

from core.contract.forms import ScoreRequest
from core.contract.samples import body
from core.domain.endpoint import EndpointLimits
from core.local.records import inputs
from core.serving import keeping
from core.serving.deployment import Scored
from core.serving.telemetry import Telemetry


@pytest.fixture
def client(files):
    model_data = Telemetry(files.telemetry.parent / "model_data", log_fd=None)
    made = Client(files, model_data=model_data)
    made.limit(collect_model_data=True)
    yield made
    made.close()
    model_data.close()


def kept(files, count):
    """The newest requests that are kept, once they are so many."""
    folder = files.telemetry.parent / "model_data"
    return wait_until(lambda: len(found := list(inputs.kept(folder))) == count and found, 10)


def test_what_predict_says_and_the_score_are_kept_whatever_the_form_and_the_method(client, files):
    counts = [0, 3, 9]
    rows = [{**ROW, "count": count} for count in counts]
    forms = (
        {"data": rows},
        {"Inputs": {"data": rows}, "GlobalParameters": {"method": "predict_proba"}},
        {"input_data": {"columns": list(ROW), "data": [list(row.values()) for row in rows]}},
    )
    for form in forms:
        assert client.score(json.dumps(form)).status_code == 200
    for request in kept(files, 3):
        assert request.data[request.columns.index("count")] == counts
        assert request.scores == pytest.approx([0.0, 0.3, 0.9])
        assert (request.answers, request.rows, request.step) == ([0, 0, 1], 3, 1)


def test_the_clients_own_id_of_a_request_is_kept(client, files):
    assert client.score(body([ROW]), headers={"x-ms-client-request-id": "order-17"}).status_code == 200
    (request,) = kept(files, 1)
    assert request.client_request_id == "order-17"
    assert request.probabilities == [], "the score of two classes is enough"


def test_of_several_classes_all_probabilities_are_kept():
    signature = replace(mixed_signature(), classes=("a", "b", "c"), positive_class=None)
    request = ScoreRequest("predict", "v1", 2, tuple([None, None] for _ in signature.used))
    said = np.array([[0.2, 0.5, 0.3], [0.7, 0.1, 0.2]])
    scored = Scored(b'{"result":["b","a"]}', request, 0.1, said)
    sample = keeping.Kept(1.0, b"r", b"", "v1", signature, scored, EndpointLimits()).sample()
    assert (sample.answers, sample.scores) == (["b", "a"], [0.5, 0.7])
    assert sample.probabilities == said.tolist()


def test_a_masked_column_is_named_and_no_value_of_it_is_in_the_file(client, files):
    client.limit(collect_model_data=True, masked_columns=["count"])
    assert client.score(body([{**ROW, "count": 7654321}])).status_code == 200
    (request,) = kept(files, 1)
    assert request.masked == ["count"]
    assert "count" not in request.columns
    assert len(request.columns) == len(request.data)
    (segment,) = (files.telemetry.parent / "model_data").glob("seg-*")
    assert b"7654321" not in segment.read_bytes()


def test_the_sample_is_of_the_share_that_was_asked_for(client, files):
    client.limit(collect_model_data=True, collect_sample_pct=25)
    for draw in (0.0, 0.2499, 0.25, 0.9):
        client.draws[0] = draw
        client.score()
    found = kept(files, 2)
    assert [request.sample_pct for request in found] == [25, 25]


def test_of_a_request_with_more_rows_than_are_kept_every_second_or_third_is(client, files, monkeypatch):
    monkeypatch.setattr(keeping, "ROWS_MAX", 3)
    assert client.score(body([{**ROW, "count": count} for count in range(8)])).status_code == 200
    (request,) = kept(files, 1)
    assert (request.rows, request.step) == (8, 3)
    assert request.data[request.columns.index("count")] == [0, 3, 6]
    assert len(request.answers) == len(request.scores) == 3
    assert bytes(request.reply) == b"null"


def test_a_window_and_a_deployment_can_be_asked_for(tmp_path):
    lines = [
        {"at": at, "request_id": str(at), "deployment": name, "columns": ["a"], "data": [[at]]}
        for at, name in ((1.0, "v1"), (2.0, "v2"), (3.0, "v1"))
    ]
    (tmp_path / "seg-1000-99-1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"at": 9')
    assert [request.at for request in inputs.kept(tmp_path)] == [3.0, 2.0, 1.0]
    assert [request.at for request in inputs.kept(tmp_path, 1.5, 3.0)] == [2.0]
    assert [request.at for request in inputs.kept(tmp_path, deployment="v1")] == [3.0, 1.0]


def test_records_of_requests_are_turned_off_and_on_while_requests_fly_and_none_is_dropped(tmp_path):
    server = ServerProcess(tmp_path).start()
    try:
        flying = Flying(server)
        for wanted in (False, True):
            server.files.write(limits={"app_insights": wanted})
            wait_until(lambda: server.status().get("version") == server.files.content["version"], 10)
            seen = len(flying.statuses)
            wait_until(lambda before=seen: len(flying.statuses) >= before + 20, 20)
        statuses = flying.land()
    finally:
        server.end()
    assert set(statuses) == {200}
    assert len(server.files.records()) <= len(statuses) - 20, "what was asked while it was off is not recorded"


class Flying:
    """Requests one after the other, on one connection, until they are to land."""

    def __init__(self, server):
        self.statuses, self._end = [], threading.Event()
        self._server, self._thread = server, threading.Thread(target=self._fly)
        self._thread.start()

    def _fly(self):
        head = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
        with httpx.Client(base_url=self._server.url, trust_env=False, timeout=20) as client:
            while not self._end.is_set():
                self.statuses.append(client.post("/score", content=BANK_BODY, headers=head).status_code)

    def land(self):
        self._end.set()
        self._thread.join()
        return self.statuses
