"""Fixtures of every suite: a workspace of each test's own, the shared tables, one live quickstart for all."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import emulating
import living
import pytest
from hypothesis import settings

from core.checks.effort import DEPTHS
from core.predict import kernel

pytest_plugins = ["session_rules", "azure_story"]

settings.register_profile("no deadline", deadline=None)  # 200 ms an example would tell how busy the machine is
settings.load_profile("no deadline")


@pytest.fixture(autouse=True)
def _own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing that a test opens by its settings is the user's, and nothing is fetched."""
    for name in [name for name in os.environ if name.startswith("SLIPWAY_")]:
        monkeypatch.delenv(name)
    for name, value in living.environment(tmp_path / "workspace").items():
        if name.startswith("SLIPWAY_"):
            monkeypatch.setenv(name, value)
    emulating.INSPECTOR.taken()
    yield
    emulating.OF_THIS_TEST.close()
    if wrong := emulating.INSPECTOR.taken():
        pytest.fail("Not as Microsoft's schemas have it:\n" + "\n".join(dict.fromkeys(wrong)), pytrace=False)


@pytest.fixture
def less_effort(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a quick run checks try less, for tests of what is made of that which they see.

    How much they see at the usual depth is held by the planted bugs of `contract_tests`; `make full` tries it here too.
    """
    if "not full" in request.config.getoption("markexpr"):
        monkeypatch.setitem(DEPTHS, "default", replace(DEPTHS["default"], examples=5, cells=8_000))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the real tables and recorded requests."""
    if not (living.SHARED.is_dir() and any(living.SHARED.iterdir())):  # an empty folder has nothing of them either
        pytest.skip("../shared is not here")
    return living.SHARED


@pytest.fixture(scope="session")
def compiled_kernel(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The compiled evaluator of models, built for this run; None without a C compiler."""
    if not shutil.which("cc"):
        return None
    library = tmp_path_factory.mktemp("kernel") / "kernel.so"
    script = Path(__file__).parent / "scripts" / "kernel.py"
    subprocess.run([sys.executable, script, library], check=True)
    return kernel.opened(library)


@pytest.fixture(params=["compiled", "numpy"])
def evaluator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, compiled_kernel: Any) -> str:
    """Models that the test makes are evaluated by this one."""
    if request.param == "compiled" and compiled_kernel is None:
        pytest.skip("there is no C compiler")
    found = compiled_kernel if request.param == "compiled" else None
    monkeypatch.setattr(kernel, "library", lambda: found)
    return str(request.param)


@pytest.fixture(scope="session")
def apache_bench() -> str:
    """The `ab` program."""
    found = shutil.which("ab")
    if not found:
        pytest.skip("ab is not installed (apt-get install apache2-utils)")
    return found


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[living.Live]:
    """The Bank Marketing lifecycle, run once with 8 s of AutoML, live until the end of the run."""
    home = tmp_path_factory.mktemp("quickstart") / "home"
    try:
        yield living.go_live(home, "--timeout", "8")
    finally:
        living.close(home)


@pytest.fixture
def run_quickstart(tmp_path: Path) -> Iterator[Callable[..., dict[str, Any]]]:
    """Run the quickstart command in a folder of the test's own and give its document; all is ended afterwards."""
    home = tmp_path / "home"

    def run(*words: str) -> dict[str, Any]:
        return living.run_quickstart(home, *words)

    try:
        yield run
    finally:
        living.close(home)
