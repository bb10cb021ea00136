"""The exported folder in other people's servers, each in an environment of its own."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from living import Live, command
from outside import free_port, running

from core.contract import samples
from core.contract.signature import from_json
from perf.peers.comparison import PeerFailed
from perf.peers.environments import python_of

pytestmark = pytest.mark.full

AZURE = SimpleNamespace(
    NAME="export-azureml",
    PYTHON="3.11",
    REQUIREMENTS=("azureml-inference-server-http==1.5.1", "numpy>=2.1", "msgspec>=0.20"),
)
MLFLOW = SimpleNamespace(
    NAME="export-mlflow", PYTHON="3.11", REQUIREMENTS=("mlflow==2.22.2", "numpy>=2.1", "msgspec>=0.20", "pandas<3")
)
# `azmlinfsrv` listens on every interface and takes no host; this is the same command with that constant changed.
LAUNCH = "import azureml_inference_server_http.amlserver as s; s.DEFAULT_HOST = '127.0.0.1'; s.run()"
PREDICT = """
import json, sys, mlflow, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
rows = pd.DataFrame(json.load(open(sys.argv[2])))
chances = model.predict(rows, params={"method": "predict_proba"})
print(json.dumps({"labels": list(map(str, model.predict(rows))), "chances": [list(map(float, c)) for c in chances]}))
"""


def environment(peer: SimpleNamespace) -> Path:
    try:
        return python_of(peer)
    except PeerFailed as e:
        pytest.skip(f"{peer.NAME} cannot be installed here: {e}")


@pytest.fixture(scope="module")
def package(quickstart: Live, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere") / "package"
    ran = command(quickstart.home, "endpoint", "package", quickstart.endpoint, "-o", str(folder))
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture(scope="module")
def rows(package):
    return samples.rows(from_json(json.loads((package / "signature.json").read_text())), 20, seed=5)


def answers(quickstart: Live, body: bytes) -> tuple[int, bytes]:
    headers = {"authorization": f"Bearer {quickstart.key}", "content-type": "application/json"}
    reply = httpx.post(quickstart.scoring_uri, content=body, headers=headers)
    return reply.status_code, reply.content


def test_it_runs_under_azures_inference_server_and_answers_byte_for_byte(quickstart, package, rows, tmp_path):
    python, port = environment(AZURE), free_port()
    line = [str(python), "-c", LAUNCH, "--entry_script", "score.py", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    bodies = [
        samples.body(rows, form, method) for form in ("v1", "v2", "mlflow") for method in ("predict", "predict_proba")
    ]
    with running(line, package, url, tmp_path / "log", AML_APP_ROOT=str(package)):
        for body in [*bodies, b"not json", samples.body([{"age": "old"}])]:
            reply = httpx.post(f"{url}/score", content=body, headers={"content-type": "application/json"})
            assert (reply.status_code, reply.content) == answers(quickstart, body)


def test_mlflow_loads_it_and_predicts_the_same(quickstart, package, rows, tmp_path):
    python = environment(MLFLOW)
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    line = [str(python), "-c", PREDICT, str(package), str(tmp_path / "rows.json")]
    ran = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout.splitlines()[-1])
    _, labels = answers(quickstart, samples.body(rows, method="predict"))
    _, chances = answers(quickstart, samples.body(rows, method="predict_proba"))
    assert told["labels"] == json.loads(labels)["result"]
    assert told["chances"] == [pytest.approx(c) for c in json.loads(chances)["result"]]


def test_what_it_requires_can_be_installed_and_then_serves_it(quickstart, package, rows, tmp_path):
    """The Dockerfile's steps, by hand: an environment of the pinned requirements alone, and the one command."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "-q", "--require-hashes", "-r", "requirements.txt"]
    done = subprocess.run(install, cwd=package, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    port = free_port()
    line = [str(python), "serve.py", "--port", str(port), "--state", str(tmp_path / "state")]
    with running(line, package, f"http://127.0.0.1:{port}", tmp_path / "log", SLIPWAY_KEY=quickstart.key) as url:
        headers = {"authorization": f"Bearer {quickstart.key}", "content-type": "application/json"}
        body = samples.body(rows, method="predict_proba")
        reply = httpx.post(f"{url}/score", content=body, headers=headers)
        assert (reply.status_code, reply.content) == answers(quickstart, body)
