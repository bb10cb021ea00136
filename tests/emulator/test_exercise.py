"""A script that knows `azure-ai-ml` and nothing of ours does the whole exercise on the emulation."""

import json
import subprocess
import sys
from pathlib import Path

import living
import pytest

from core.settings import CHECKOUT

EXERCISE = Path(__file__).with_name("exercise.py")
ROWS = [{"age": 31, "colour": "red"}, {"age": 64, "colour": "blue"}]


@pytest.fixture
def table(tmp_path) -> Path:
    """200 rows: an age, a colour, and whether somebody bought, which both tell."""
    lines = [f"{20 + i % 50},{'red' if i % 3 else 'blue'},{'yes' if i % 50 > 25 - i % 3 else 'no'}" for i in range(200)]
    path = tmp_path / "people.csv"
    path.write_text("\n".join(["age,colour,y", *lines]) + "\n")
    return path


@pytest.fixture
def home(tmp_path):
    yield tmp_path / "emulated"
    living.close(tmp_path / "emulated")


def test_the_exercise_is_done_by_the_sdk_alone(home, table):
    """Register, train, best model, deploy, consume, document, logs; pipeline, publish, trigger, schedule, tear down."""
    words = ("-m", "core", "azure", "emulate", "--home", str(home), "--time-scale", "60", "--")
    line = [sys.executable, *words, sys.executable, str(EXERCISE), str(table), "y", json.dumps(ROWS)]
    ran = subprocess.run(line, cwd=CHECKOUT, capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stderr[-4000:]
    done = json.loads(next(line for line in reversed(ran.stdout.splitlines()) if line.startswith("{")))
    assert [done[step] for step in ("automl", "pipeline", "batch")] == ["Completed"] * 3
    assert done["children"] >= 1
    assert done["model"] == "bankmarketing:1"
    assert done["score"] == 200
    assert done["answer"] == ["no", "yes"]
    assert done["swagger"]
    assert done["schedules"] == ["daily", "weekly"]
    assert done["endpoints"] == []
