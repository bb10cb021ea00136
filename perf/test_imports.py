"""How long our entry points take to import, beyond what a bare interpreter needs to start."""

import subprocess
import sys
from collections.abc import Mapping
from time import perf_counter

import pytest

from core.settings import CHECKOUT
from perf.conftest import Measure

pytestmark = [pytest.mark.measures, pytest.mark.full]

ROUNDS = 7
LONGEST_S = {"core.serving.worker": 3.0, "core.cli.main": 3.0, "core.ui.shell.frame": 12.0}
"""Far above what they take: the history shows a change, this only that something is badly wrong."""


@pytest.mark.parametrize("module", LONGEST_S)
def test_an_entry_point_is_imported(measure: Measure, module: str) -> None:
    def look() -> Mapping[str, float]:
        bare = _run("pass")
        return {"s": _run(f"import {module}") - bare}

    look()
    seen = measure.values(f"import {module}", "import", "modules imported", look, ROUNDS)
    assert min(seen["s"]) < LONGEST_S[module]


def _run(code: str) -> float:
    started = perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=True)
    return perf_counter() - started
