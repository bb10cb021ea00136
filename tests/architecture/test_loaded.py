"""What a process has loaded, seen from inside it: heavy or foreign parts stay out where they are not needed."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import living
import pytest
from serving_fakes import ServerProcess
from signatures import bank_signature

from core.contract import samples
from core.domain.version import VERSION

ROOT = Path(__file__).parents[2]

FOREIGN = {"azure", "msal", "opentelemetry", "mlflow", "schemathesis", "hypothesis"}
LEARNERS = {"lightgbm", "xgboost", "catboost", "sklearn", "optuna"}


def modules(code: str) -> set[str]:
    """The names of all modules that a fresh process has loaded after `code`."""
    line = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    ran = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120)
    return set(ran.stdout.split("\n")[-2].split())


def firsts(names: set[str]) -> set[str]:
    """The packages of these modules."""
    return {name.partition(".")[0] for name in names}


@pytest.fixture(autouse=True)
def _nothing_lives_on(tmp_path: Path) -> Iterator[None]:
    """The app starts the service, which would outlive it, and which may still be coming up when the app has ended."""
    yield
    if living.alive_in(tmp_path / "workspace"):
        living.close(tmp_path / "workspace")


APP = """
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("app.py", default_timeout=100).run()
assert not app.exception, app.exception
"""


def test_the_app_s_first_page_loads_nothing_of_the_cloud_the_proof_or_the_learners_nor_of_ours_for_azure():
    names = modules(APP)
    assert firsts(names) & (FOREIGN | LEARNERS) == set()
    assert not [name for name in names if name.startswith(("core.azure", "core.emulator"))]


@pytest.mark.parametrize(
    "start",
    [
        pytest.param("import core.local.service.loop", id="the service"),
        pytest.param("import core.cli.main as m; m.parser(m.WORDS)", id="every command"),
        pytest.param("import core.local.worker.run", id="a worker before its job"),
        pytest.param("import core.ml.trial, core.ml.search", id="a search, and a trial before its fit"),
    ],
)
def test_a_local_start_loads_nothing_of_the_cloud_the_proof_or_the_learners(start):
    assert firsts(modules(start)) & (FOREIGN | LEARNERS) == set()


IMPORTED = re.compile(r"^import time: +\d+ \| +\d+ \| +(\S+)$", re.MULTILINE)
FRAMES = {"pandas", "duckdb", "scipy", "pyarrow", "polars", "streamlit", "starlette"}


def test_a_worker_that_has_scored_has_loaded_no_learner_no_frame_and_nothing_of_the_cloud(tmp_path):
    """Python itself tells every module that the parent and the worker load, from their start to their end."""
    server = ServerProcess(tmp_path).start(PYTHONPROFILEIMPORTTIME="1")
    try:
        (worker,) = server.workers()
        rows = samples.rows(bank_signature(exclude=["duration"]), 1000, seed=1)
        for body in (samples.body(rows[:2]), samples.body(rows, "mlflow", "predict_proba"), b"no JSON"):
            server.score(content=body)
        for path in ("/", "/swagger.json", "/docs", "/metrics"):
            assert server.get(path).status_code == 200
        mapped = {Path(file.path).name for file in worker.memory_maps()}
    finally:
        server.end()
    imported = set(IMPORTED.findall(server.log.read_text()))
    assert {"core.serving.parent", "core.serving.connection", "core.predict.members"} <= imported, "all is told"
    assert firsts(imported) & (FOREIGN | LEARNERS | FRAMES) == set()
    assert not [name for name in mapped if re.match(r"lib_?(lightgbm|xgboost|catboost|duckdb|arrow|gomp)", name)]


def test_the_version_is_the_projects():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION
