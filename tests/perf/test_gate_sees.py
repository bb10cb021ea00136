"""The gate as CI runs it, on two commits that differ by slowdowns of known size: it names them, and nothing else.

Two days it is run on one slowdown that is seen at once, the third on steps that are seen against the anchor alone;
`make full` does all that, and slowdowns as small as the gate is to see, one, or three at once, one of them of a page.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from turns import other_day

from core.settings import CHECKOUT
from perf.experiment import planted
from perf.gate.plant import plant

pytestmark = pytest.mark.measures

NAMES = {"decode": "payload decode, 2 rows", "predict": "predict, 2 rows", "page": "page rerun, Home"}
UNTOUCHED = "payload encode, 2 rows"
RUN_S = 300
DAYS = 3
SEEN_AT_ONCE = (("decode", 10.0), ("predict", 10.0))


class Gate:
    """A repository whose first commit has nothing planted, and the gate run on its later ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = planted(folder, dict.fromkeys(NAMES, 0.0))
        self._git("init", "--quiet", "--initial-branch=main")
        self.base = self._commit("nothing planted")

    def slower(self, slowdowns_pct: Mapping[str, float]) -> str:
        """A commit with these slowdowns, on the first one."""
        self._git("checkout", "--quiet", self.base, "--", ".")
        source = planted(self.folder, slowdowns_pct)
        for file in ("core/contract/payload.py", "core/predict/folder.py", "app.py"):
            (self.repository / file).write_bytes((source / file).read_bytes())
        return self._commit(f"{dict(slowdowns_pct)}")

    def run(self, head: str, *options: str, base: str = "") -> tuple[int, dict[str, Any]]:
        """Exit code and JSON of the gate between `base`, else the first commit, and `head`."""
        told = self.folder / "told.json"
        words = ["--repository", str(self.repository), "--base", base or self.base, "--head", head]
        words += ["--json", str(told)]
        done = subprocess.run(
            [sys.executable, "-m", "perf.gate", *words, *options], cwd=CHECKOUT, check=False, timeout=RUN_S
        )
        return done.returncode, json.loads(told.read_text("utf-8"))

    def _commit(self, name: str) -> str:
        self._git("add", "--all")
        self._git("-c", "user.name=x", "-c", "user.email=x", "commit", "--quiet", "--allow-empty", "-m", name)
        return self._git("rev-parse", "HEAD")

    def _git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.repository, check=True, capture_output=True, text=True)
        return done.stdout.strip()


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return Gate(tmp_path_factory.mktemp("planted"))


@pytest.mark.parametrize(
    "slowdown", [pytest.param(each, id=each[0], marks=other_day(at, DAYS)) for at, each in enumerate(SEEN_AT_ONCE)]
)
def test_a_planted_slowdown_far_beyond_the_threshold_is_found_by_name(gate: Gate, slowdown: tuple[str, float]):
    name, by_pct = slowdown
    head = gate.slower(dict.fromkeys(NAMES, 0.0) | {name: by_pct})
    code, told = gate.run(head, "--only", UNTOUCHED, NAMES[name], "--threshold", "3")
    assert {found["name"]: found["verdict"] for found in told["benchmarks"]} == {
        NAMES[name]: "slower",
        UNTOUCHED: "same",
    }
    assert code == told["exit_code"] == 1


@pytest.mark.full
@pytest.mark.parametrize(
    "slowdowns_pct",
    [
        {"decode": 3.0},
        {"predict": 5.0},
        {"decode": 3.0, "predict": 5.0, "page": 10.0},
        {"decode": 5.0, "predict": 10.0, "page": 3.0},
        {"decode": 10.0, "predict": 3.0, "page": 5.0},
    ],
    ids=str,
)
def test_planted_slowdowns_are_found_by_name_and_nothing_else_is(gate: Gate, slowdowns_pct: dict[str, float]):
    slower = [NAMES[name] for name in slowdowns_pct]
    head = gate.slower(dict.fromkeys(NAMES, 0.0) | slowdowns_pct)
    code, told = gate.run(head, "--only", UNTOUCHED, *slower)
    verdicts = {found["name"]: found["verdict"] for found in told["benchmarks"]}
    assert verdicts == {**dict.fromkeys(slower, "slower"), UNTOUCHED: "same"}
    assert code == told["exit_code"] == 1


@pytest.mark.parametrize("step_pct", [pytest.param(0.5, marks=other_day(2, DAYS))])
def test_steps_that_are_each_too_small_to_be_seen_are_seen_against_the_anchor(gate: Gate, step_pct: float):
    nothing = {"predict": 0.0, "page": 0.0}
    base, head = gate.slower({"decode": 10.0, **nothing}), gate.slower({"decode": 10.0 + step_pct, **nothing})
    code, told = gate.run(head, "--anchor", gate.base, "--only", NAMES["decode"], "--threshold", "3", base=base)
    (to_base,), (to_anchor,) = told["benchmarks"], told["anchor"]["benchmarks"]
    assert (to_base["verdict"], to_anchor["verdict"]) == ("same", "slower")
    assert told["anchor"]["threshold_pct"] == 5.0
    assert code == told["exit_code"] == 1


@pytest.mark.full
def test_revisions_in_processes_of_their_own_are_compared_as_well(gate: Gate):
    head = gate.slower({"decode": 10.0, "predict": 0.0, "page": 0.0})
    code, told = gate.run(head, "--processes", "--only", NAMES["decode"])
    (found,) = told["benchmarks"]
    assert (code, found["verdict"]) == (1, "slower")
    assert found["restarts"] >= 8


def test_a_place_that_has_changed_is_not_planted_in_silence(gate: Gate, tmp_path: Path):
    (tmp_path / "app.py").write_text("print('another app')\n")
    with pytest.raises(ValueError, match=r"app\.py has changed"):
        plant(tmp_path, "page", 3.0)
