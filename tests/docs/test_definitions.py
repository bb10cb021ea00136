"""What the documents say of a pipeline's definition works: its examples are read, its commands run."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from core.cli.command import Context
from core.cli.main import main
from core.definitions import Definition, parse_definition, parse_pipeline
from core.definitions.parsing import PARAMETER_KEYS, STEP_KEYS
from core.definitions.python_file import load_python
from core.domain.errors import DefinitionInvalid
from core.domain.pipeline import ParameterType, StepKind
from core.domain.steps import STEP_TYPES, settings_of
from core.domain.training import TrainingSpec
from core.local.workspace import open_local
from core.settings import read_settings
from core.workspace.service import Service

TEXT = (Path(__file__).parents[2] / "docs" / "pipelines.md").read_text("utf-8")
SECTION = TEXT.split("\n## A definition\n")[1].split("\n## ")[0]


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    assert found
    return found[1]


def test_the_example_is_a_definition() -> None:
    made = parse_definition(block("yaml"))
    assert (len(made.spec.steps), made.code) == (6, {"clean": "clean.py"})


def test_the_example_of_a_step_with_code_of_ones_own_is_one() -> None:
    step = re.search(r"\n## Steps with your own code\n.*?```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert step
    before = "name: Report\nparameters: {data: {type: data}, title: People}\nsteps:\n"
    before += '- {kind: prepare, settings: {data: "${data}", target: y}}\n'
    made = parse_definition(before + step[1])
    assert (made.spec.step("report").kind, made.code) == (StepKind.PYTHON, {"report": "./report"})


def test_the_example_in_python_is_one_too(tmp_path: Path) -> None:
    (tmp_path / "nightly.py").write_text(block("python"))
    made: Definition = load_python(tmp_path / "nightly.py")
    assert [step.name for step in made.spec.steps] == ["prepare", "check", "automl", "register"]


def test_the_problems_are_told_as_they_are_shown() -> None:
    text = block("yaml").replace("holdout_pct", "holdout").replace("${timeout_s}", "${timeout}")
    with pytest.raises(DefinitionInvalid) as refused:
        parse_pipeline(text, "nightly.yaml")
    shown = block("text").strip().splitlines()
    assert refused.value.message.splitlines()[0] == shown[0]
    assert [re.sub(r"line \d+", "", line) for line in shown[1:]] == [
        re.sub(r"line \d+", "", line) for line in refused.value.message.splitlines()[1:]
    ]


def test_every_key_and_every_type_is_told() -> None:
    told = set(re.findall(r"`([a-z_]+)`", SECTION))
    assert {*STEP_KEYS, *PARAMETER_KEYS, *ParameterType} <= told


@pytest.mark.parametrize("kind", [kind for kind in StepKind if not STEP_TYPES[kind].own_code])
def test_each_built_in_step_is_told_with_its_settings_inputs_and_outputs(kind: StepKind) -> None:
    row = re.search(rf"^\| `{kind}` \|.*$", TEXT, re.MULTILINE)
    assert row
    told = set(re.findall(r"`([a-z_]+)`", row[0]))
    wanted = {*settings_of(kind), *STEP_TYPES[kind].inputs, *STEP_TYPES[kind].outputs} - {"engine"}
    assert wanted <= told


def test_every_command_about_a_training_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_settings({}, home=str(tmp_path / "home"), offline="1")
    rows = "".join(f"{20 + i % 12},{'yes' if i % 3 else 'no'}\n" for i in range(30))
    (tmp_path / "people.csv").write_text(f"age,y\n{rows}")
    context = Context(settings, {})
    context.__dict__["workspace"] = replace(open_local(settings), service=Service())
    asset = context.workspace.data.register("people", str(tmp_path / "people.csv"))
    job = context.workspace.jobs.submit(TrainingSpec(asset.ref, "y"))
    for line in block("sh").replace("JOB", job.id).splitlines():
        assert main(shlex.split(line)[3:], lambda _: context) == 0, line
    assert parse_pipeline((tmp_path / "people.yaml").read_text()).step("promote")
    assert context.workspace.pipelines.get("People again").version == 1
