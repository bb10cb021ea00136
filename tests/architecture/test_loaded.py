"""What a process has loaded, seen from inside it: heavy or foreign parts stay out where they are not needed."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import living
import pytest

from core.domain.version import VERSION

ROOT = Path(__file__).parents[2]

FOREIGN = {"azure", "msal", "opentelemetry", "mlflow", "schemathesis", "hypothesis"}
LEARNERS = {"lightgbm", "xgboost", "catboost", "sklearn", "optuna"}


def loaded(code: str) -> set[str]:
    """The first parts of the names of all modules that a fresh process has loaded after `code`."""
    line = [sys.executable, "-c", f"{code}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}})"]
    ran = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120)
    return set(ran.stdout.split("\n")[-2].split())


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


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(APP, id="the app's first page"),
        pytest.param("import core.local.service", id="the service"),
        pytest.param("import core.cli.main as m; m.parser(m.WORDS)", id="every command"),
        pytest.param("import core.local.worker", id="a worker before its job"),
    ],
)
def test_a_local_start_loads_nothing_of_the_cloud_the_proof_or_the_learners(start):
    assert loaded(start) & (FOREIGN | LEARNERS) == set()


def test_the_scoring_server_loads_no_table_library_either():
    assert (
        loaded("import core.serving.__main__") & (FOREIGN | LEARNERS | {"pandas", "duckdb", "scipy", "pyarrow"})
        == set()
    )


def test_the_version_is_the_projects():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION
