"""A client that a generator made from our document, in an environment of its own, scores and reads refusals."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from serving_fakes import KEY, ServerProcess
from signatures import bank_signature

from core.contract import samples
from perf.peers.comparison import PeerFailed
from perf.peers.environments import python_of

pytestmark = pytest.mark.full

GENERATOR = SimpleNamespace(
    NAME="openapi-python-client", PYTHON="3.11", REQUIREMENTS=("openapi-python-client==0.29.1",)
)
ROWS = samples.rows(bank_signature(exclude=["duration"]), 4, seed=3)
USE = """
import json, sys
from made import AuthenticatedClient
from made.api.default import run_ml_service, service_health_check
from made.models import Row, ServiceInputV1, ServiceInputV1Method, ServiceInputV2

url, key, rows = sys.argv[1], sys.argv[2], json.load(open(sys.argv[3]))
client = AuthenticatedClient(base_url=url, token=key)
ask = lambda body, client=client: run_ml_service.sync_detailed(client=client, body=body)
v1, proba = ServiceInputV1.from_dict({"data": rows}), ServiceInputV1Method.PREDICT_PROBA
chances = ServiceInputV1(data=[Row.from_dict(row) for row in rows], method=proba)
bad = ServiceInputV1(data=[Row.from_dict(rows[0])])
bad.data[0].age = "old"
print(json.dumps({
    "health": service_health_check.sync(client=client),
    "labels": ask(v1).parsed.to_dict(),
    "chances": ask(chances).parsed.to_dict(),
    "v2": ask(ServiceInputV2.from_dict({"Inputs": {"data": rows}})).parsed.to_dict(),
    "bad": ask(bad).parsed.to_dict(),
    "no key": ask(v1, AuthenticatedClient(base_url=url, token="wrong")).parsed.to_dict(),
}))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path_factory.mktemp("server")).start()
    yield server
    server.end()


@pytest.fixture(scope="module")
def python() -> Path:
    try:
        return python_of(GENERATOR)
    except PeerFailed:
        pytest.skip("openapi-python-client cannot be installed here")


@pytest.mark.contract("D1")
def test_a_generated_client_scores_and_reads_refusals(server, python, tmp_path):
    """From 3.1: 3.0 has no words for the MLflow form but arrays as `enum`, which this generator cannot read."""
    (tmp_path / "document.json").write_text(server.get("/swagger.json?version=3.1").text)
    (tmp_path / "config.yaml").write_text("post_hooks: []\n")
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    (tmp_path / "use.py").write_text(USE)
    command = "generate --path document.json --output-path made --meta none --config config.yaml --fail-on-warning"
    run(python, tmp_path, "-m", "openapi_python_client", *command.split())

    told = json.loads(run(python, tmp_path, "use.py", server.url, KEY, "rows.json"))

    expected = server.score(content=samples.body(ROWS)).json()
    assert told["health"] == "Healthy"
    assert told["labels"] == expected
    assert told["v2"] == {"Results": expected["result"]}
    assert [sum(chances) for chances in told["chances"]["result"]] == [pytest.approx(1)] * len(ROWS)
    assert told["bad"]["details"] == [{"row": 0, "column": "age", "problem": 'expected an integer, got "old"'}]
    assert "key" in told["no key"]["message"]


def run(python: Path, folder: Path, *words: str) -> str:
    done = subprocess.run([python, *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
