"""How long one score takes: in process, bytes to bytes, and over HTTP on a kept connection.

Every test asserts what was answered too: a fast wrong answer is no score.
"""

import http.client
import json
from collections.abc import Callable, Iterator
from itertools import cycle
from urllib.parse import urlsplit

import pytest
from living import Live

from core.contract import samples
from core.domain.endpoint import EndpointLimits
from core.predict.folder import load_model
from core.serving.deployment import load_deployment
from core.serving.endpoint_file import DeploymentFile

pytestmark = pytest.mark.measures

ROUNDS, WARM_ROUNDS = 300, 30
BODIES = 100


def bodies(quickstart: Live, rows: int) -> tuple[Callable[[], tuple[tuple[bytes], dict]], set[str]]:
    """What gives the next of many bodies (one alone flatters tree code), and the labels that may come."""
    signature = load_model(quickstart.model_folder).signature
    made = samples.rows(signature, rows * BODIES, seed=1)
    turns = cycle([samples.body(made[at : at + rows]) for at in range(0, len(made), rows)])
    return (lambda: ((next(turns),), {})), set(signature.classes)


@pytest.mark.benchmark(group="score in process")
@pytest.mark.parametrize("rows", [2, 100])
def test_one_score_in_process(benchmark, quickstart: Live, rows: int) -> None:
    file = DeploymentFile(str(quickstart.model_folder), "bank", 1)
    deployment = load_deployment("v1", file, EndpointLimits(), load_model)
    next_body, labels = bodies(quickstart, rows)
    scored = benchmark.pedantic(deployment.score, setup=next_body, rounds=ROUNDS, warmup_rounds=WARM_ROUNDS)
    result = json.loads(scored.reply)["result"]
    assert len(result) == rows
    assert set(result) <= labels


@pytest.fixture
def kept_connection(quickstart: Live) -> Iterator[http.client.HTTPConnection]:
    parts = urlsplit(quickstart.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    yield connection
    connection.close()


@pytest.mark.benchmark(group="score over HTTP")
def test_one_score_over_http(benchmark, quickstart: Live, kept_connection: http.client.HTTPConnection) -> None:
    headers = {"Authorization": f"Bearer {quickstart.key}", "Content-Type": "application/json"}

    def score(body: bytes) -> tuple[int, bytes]:
        kept_connection.request("POST", "/score", body, headers)
        answer = kept_connection.getresponse()
        return answer.status, answer.read()

    next_body, labels = bodies(quickstart, rows=2)
    status, reply = benchmark.pedantic(score, setup=next_body, rounds=ROUNDS, warmup_rounds=WARM_ROUNDS)
    assert status == 200
    assert len(result := json.loads(reply)["result"]) == 2
    assert set(result) <= labels
