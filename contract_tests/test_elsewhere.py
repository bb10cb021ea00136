"""On servers that were not made with this suite: what it finds there is written down, and every line of it is true."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from outside import free_port, running
from serving_fakes import write_model
from signatures import bank_signature

from contract_tests.mlflow_served import MLFLOW, mlflow_document
from core.checks import Profile, Source, catalogue, run_checks
from core.domain.proof import CheckResult, Target
from core.packaging.mlflow import write_flavor
from perf.peers import azureml_server
from perf.peers.comparison import PeerFailed
from perf.peers.environments import python_of

FOUND = Path(__file__).resolve().parent.parent / "docs" / "contract-tests.md"
TRACE = "Traceback (most recent call last)"


def environment(peer: ModuleType | SimpleNamespace) -> Path:
    try:
        return python_of(peer)
    except PeerFailed as e:
        pytest.skip(f"{peer.NAME} cannot be installed here: {e}")


@pytest.fixture(scope="module")
def azureml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """`azureml-inference-server-http` with a score script in AutoML's manner."""
    python, folder, port = environment(azureml_server), tmp_path_factory.mktemp("azureml"), free_port()
    random = np.random.default_rng(0)
    table = pd.DataFrame({"age": random.integers(18, 90, 600), "job": random.choice(["nurse", "pilot"], 600)})
    table["balance"] = random.normal(500, 900, 600).round(2)
    table["y"] = np.where(table["age"] + table["balance"] / 90 > 60, "yes", "no")
    table.to_parquet(folder / "table.parquet")
    script = Path(str(azureml_server.__file__)).parent / "scripts" / "automl_score.py"
    line = [str(python), "-c", azureml_server.LAUNCH, "--entry_script", str(script), "--port", str(port)]
    told = {"FITTED": folder / "fitted", "TABLE": folder / "table.parquet", "TARGET": "y"}
    environ = {f"PEER_{name}": str(value) for name, value in told.items()} | {"AML_APP_ROOT": str(folder)}
    url = f"http://127.0.0.1:{port}"
    with running([*line, "--model_dir", str(folder)], folder, url, folder / "log", **environ):
        yield Target(url)


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """`mlflow models serve` with a model folder of ours."""
    python, folder, port = environment(MLFLOW), tmp_path_factory.mktemp("mlflow"), free_port()
    signature = bank_signature(exclude=["duration"])
    write_flavor(write_model(folder / "model", signature), signature, job_id="j", created_at=0.0)
    words = [str(python), "-m", "mlflow", "models", "serve", "-m", str(folder / "model"), "--env-manager", "local"]
    path = f"{python.parent}:/usr/bin:/bin"
    url = f"http://127.0.0.1:{port}"
    line = [*words, "--host", "127.0.0.1", "--port", str(port)]
    with running(line, folder, f"{url}/ping", folder / "log", PATH=path):
        yield Target(url)


def written(server: str) -> Mapping[str, set[str]]:
    """The checks that docs/contract-tests.md says are violated on a server, by profile."""
    section = FOUND.read_text("utf-8").split(f"### `{server}`", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]
    lines = re.findall(r"^\| `(\w+)` \| ([a-z, ]+) \|", section, re.MULTILINE)
    return {profile: {name for name, profiles in lines if profile in profiles} for profile in Profile}


def violated(results: tuple[CheckResult, ...]) -> dict[str, CheckResult]:
    return {result.name: result for result in results if result.passed is False}


def test_what_is_written_down_names_checks_that_there_are() -> None:
    names = {check.name for check in catalogue()}
    for server in ("azureml-inference-server-http", "mlflow models serve"):
        assert set().union(*written(server).values()) <= names


@pytest.mark.full
@pytest.mark.parametrize("profile", [Profile.STRICT, Profile.AZURE])
@pytest.mark.parametrize("seed", [0, 1])
def test_azures_inference_server_is_found_to_break_what_is_written_down(
    azureml: Target, profile: Profile, seed: int
) -> None:
    found = violated(run_checks(azureml, profile=profile, seed=seed))
    assert found.keys() == written("azureml-inference-server-http")[profile]


@pytest.mark.full
@pytest.mark.parametrize("seed", [0, 1])
def test_mlflow_is_found_to_break_what_is_written_down(mlflow: Target, seed: int) -> None:
    document = mlflow_document(bank_signature(exclude=["duration"]))
    found = violated(run_checks(mlflow, seed=seed, source=Source(schema=json.loads(json.dumps(document)))))
    assert found.keys() == written("mlflow models serve")[Profile.STRICT]
    assert TRACE in found["errors_leak_nothing"].evidence


@pytest.mark.full
def test_mlflow_without_a_document_is_told_apart_from_one_that_breaks_it(mlflow: Target) -> None:
    first, *others = run_checks(mlflow, parts=("wire",))
    assert (first.name, first.passed) == ("document_is_usable", False)
    assert "The document has no POST operation" in first.evidence
    assert {other.passed for other in others} == {None}
