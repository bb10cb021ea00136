"""One emulation of Azure ML for all tests that need a whole lifecycle there, and the command line of who uses it.

It is a process of its own, as a user starts it. Each fixture goes one step further: a table, a training, a model, a
deployment, its passed gate. `tests/lifecycle/test_azure.py` tears it all down at its end.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import emulating
import living
import pytest
from tables import customers, write_table

from core.cli.main import main
from core.settings import CHECKOUT

END_TIMEOUT_S = 30.0
NOTICE = "Nothing here is in the cloud."


@dataclass(frozen=True)
class Emulated:
    """What a client needs: the variables that the emulation has printed, and a folder for what this machine keeps."""

    variables: Mapping[str, str]
    home: Path

    def environment(self) -> dict[str, str]:
        """Of a process that works there."""
        chosen = {"SLIPWAY_WORKSPACE": "azure", "SLIPWAY_AZURE_NOTICE": NOTICE}
        return {**living.environment(self.home), **self.variables, **chosen}

    def cli(self, *words: str) -> tuple[int, Any]:
        """Run a command in this process: its exit code, and the one document that it has printed."""
        said = StringIO()
        with emulating.environment(self.environment()), redirect_stdout(said):
            code = main([*words, "--json"])
        return code, json.loads(said.getvalue())

    def done(self, line: str, *words: str) -> Any:
        """What a command that went well has given."""
        code, given = self.cli(*line.split(), *words)
        assert code == 0, given
        return given


@contextmanager
def emulated_azure(folder: Path) -> Iterator[Emulated]:
    """An emulation over `folder`, and whoever uses it; nothing of either lives on afterwards."""
    home, client = folder / "emulated", folder / "client"
    line = [sys.executable, "-m", "core", "azure", "emulate", "--allow-code", "--json"]
    with (folder / "emulation.log").open("wb") as log:
        process = subprocess.Popen(
            line, cwd=CHECKOUT, env=living.environment(home), stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert process.stdout is not None
        yield Emulated(json.loads(process.stdout.readline()), client)
    finally:
        process.terminate()
        process.communicate(timeout=END_TIMEOUT_S)
        living.close(client)
        living.close(home)


TABLE, ENDPOINT = "people", "people-answer"


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """An emulation that nobody has used."""
    with emulated_azure(tmp_path_factory.mktemp("azure")) as running:
        yield running


@pytest.fixture(scope="session")
def azure_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that is registered."""
    return write_table(tmp_path_factory.mktemp("table") / f"{TABLE}.parquet", customers(300))


@pytest.fixture(scope="session")
def azure_job(azure: Emulated, azure_table: Path) -> dict[str, Any]:
    """A training that has ended, of two trials and what they are together."""
    azure.done(f"data register {azure_table}")
    job: dict[str, Any] = azure.done(
        f"job submit --data {TABLE} --target answer --exclude customer --timeout 900 --max-trials 2 --folds 2"
        " --algorithm LogisticRegression --algorithm LightGBM --wait"
    )
    return job


@pytest.fixture(scope="session")
def azure_model(azure: Emulated, azure_job: dict[str, Any]) -> dict[str, Any]:
    """Its best model, registered."""
    model: dict[str, Any] = azure.done(f"model register {TABLE} {azure_job['id']}")
    return model


@pytest.fixture(scope="session")
def azure_pipeline(azure: Emulated, azure_job: dict[str, Any]) -> str:
    """That training as a published pipeline."""
    azure.done(f"pipeline create --from-job {azure_job['id']} --name again --model {TABLE} --as-registered --publish")
    return "again"


@pytest.fixture(scope="session")
def azure_deployed(azure: Emulated, azure_model: dict[str, Any]) -> dict[str, Any]:
    """A deployment of it as it is asked for; its gate goes on meanwhile."""
    deployment: dict[str, Any] = azure.done(f"endpoint deploy {ENDPOINT} {TABLE}:{azure_model['version']}")
    return deployment


@pytest.fixture(scope="session")
def azure_live(azure: Emulated, azure_deployed: dict[str, Any]) -> dict[str, Any]:
    """The endpoint, once the gate has passed; the same deployment again is waited for."""
    azure.done(f"endpoint deploy {ENDPOINT} {azure_deployed['model']} --wait")
    endpoint: dict[str, Any] = azure.done(f"endpoint get {ENDPOINT}")
    return endpoint
