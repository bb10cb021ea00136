"""A pipeline written in Python is the same as the one in YAML."""

from pathlib import Path

import pytest

from core.definitions import Pipeline, parse_definition, write_pipeline
from core.definitions.python_file import load_python
from core.domain.errors import SpecInvalid
from core.domain.pipeline import StepKind

YAML = """\
name: Nightly
description: Train every night
parameters:
  data: {type: data}
  timeout_s: {type: number, default: 60.0, minimum: 5, description: How long to search}
  target: {type: string, default: y}
steps:
  - name: prepare
    kind: prepare
    settings: {data: "${data}", target: "${target}"}
  - name: clean
    kind: python
    code: clean.py
    function: clean:run
    arguments: {name: "of ${target}"}
    inputs: {table: prepare.data}
    outputs: {table: data, fine: boolean}
    memory_mb: 512
  - name: automl
    kind: automl
    when: clean.fine
    inputs: {data: clean.table}
    settings: {target: "${target}", timeout_s: "${timeout_s}"}
  - name: report
    kind: command
    needs: [automl]
    command: [python, report.py, "${target}"]
"""

PYTHON = """\
from core.definitions import Pipeline

import clean

pipeline = Pipeline("Nightly", description="Train every night")
data = pipeline.parameter("data", type="data")
seconds = pipeline.parameter("timeout_s", 60.0, minimum=5, description="How long to search")
target = pipeline.parameter("target", "y")
prepare = pipeline.step("prepare", settings={"data": data, "target": target})
cleaned = pipeline.call(
    "clean",
    clean.run,
    inputs={"table": prepare["data"]},
    arguments={"name": f"of {target}"},
    outputs={"table": "data", "fine": "boolean"},
    memory_mb=512,
)
trained = pipeline.step(
    "automl",
    inputs={"data": cleaned["table"]},
    when=cleaned["fine"],
    settings={"target": target, "timeout_s": seconds},
)
pipeline.step("report", "command", needs=[trained], settings={"command": ["python", "report.py", target]})
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "clean.py").write_text("def run(table, name):\n    return {}\n")
    path = tmp_path / "nightly.py"
    path.write_text(PYTHON)
    return path


def test_python_and_yaml_define_the_same(file: Path) -> None:
    made, read = load_python(file), parse_definition(YAML)
    assert made.spec == read.spec
    assert made.code == {"clean": str(file.parent / "clean.py")}
    assert parse_definition(write_pipeline(made.spec, read.code)) == read


def test_a_function_in_the_definitions_own_file_brings_that_file(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(
        "from core.definitions import Pipeline\n"
        "def hello(name):\n    return {}\n"
        "pipeline = Pipeline('Own')\n"
        "pipeline.call('hello', hello, arguments={'name': 'you'})\n"
    )
    made = load_python(path)
    assert made.spec.step("hello").settings["function"] == "own:hello"
    assert made.code == {"hello": str(path)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "has no `pipeline`"),
        ("x = (\n", "own.py, line 1: SyntaxError"),
        ("\nraise ValueError('no')\n", "own.py, line 2: ValueError: no"),
        ("import sys\nsys.exit(3)\n", "own.py, line 2: SystemExit: 3"),
        ("from core.definitions import Pipeline\npipeline = Pipeline('P')\n", "needs a name and at least one step"),
        ("from core.definitions import Pipeline\nPipeline('P').parameter('n')\n", "line 2: Parameter 'n' has neither"),
    ],
)
def test_what_is_wrong_with_a_python_file_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "own.py"
    path.write_text(text)
    with pytest.raises(SpecInvalid) as refused:
        load_python(path)
    assert said in refused.value.message


def test_mistakes_are_told_where_they_are_made_or_when_it_is_checked() -> None:
    pipeline = Pipeline("P")
    prepare = pipeline.step("prepare", settings={"data": "people"})
    with pytest.raises(SpecInvalid, match="Step 'prepare' gives no 'table'"):
        prepare["table"]
    with pytest.raises(SpecInvalid, match="'magic' is not a valid StepKind"):
        pipeline.step("x", "magic")
    with pytest.raises(SpecInvalid, match="cannot be called by name"):
        pipeline.call("x", lambda: {})
    with pytest.raises(SpecInvalid, match="cannot be called by name"):
        pipeline.call("x", len)
    with pytest.raises(SpecInvalid, match="stands in the package"):
        pipeline.call("x", write_pipeline)
    pipeline.step("automl", settings={"target": 7})
    with pytest.raises(SpecInvalid, match="'target' is 7, expected a text"):
        pipeline.definition()


def test_steps_may_be_written_in_any_order() -> None:
    pipeline = Pipeline("P")
    pipeline.step("automl", needs=["prepare"], settings={"target": "y"})
    pipeline.step("prepare", settings={"data": "people"})
    assert [step.kind for step in pipeline.spec.steps] == [StepKind.PREPARE, StepKind.AUTOML]
