"""Pipelines on the command line, over a real workspace without a service."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.cli.command import Context
from core.cli.main import main
from core.cli.runs import duration, run_text
from core.definitions import parse_pipeline
from core.domain.job import JobState
from core.domain.pipeline import StepKind
from core.domain.run import PipelineRun, StepRun, StepState
from core.domain.training import TrainingSpec
from core.local.workspace import open_local
from core.settings import Settings, read_settings
from core.workspace.service import Service

Cli = Callable[..., Any]
FILE = """
name: count
description: Counts.
parameters:
  data: people
  target: "2024"
  trials: 3
steps:
  - {name: prepare, kind: prepare, settings: {data: "${data}", target: "${target}"}}
  - {name: automl, kind: automl, settings: {target: "${target}", max_trials: "${trials}"}}
"""


class Here(Context):
    """A context over this workspace, whose service is never started."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, {}, sleep=lambda _: None)
        self.__dict__["workspace"] = replace(open_local(settings), service=Service())


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command; what it printed, as JSON, or as text where people read it."""
    settings = read_settings({}, home=str(tmp_path / "home"), offline="1")
    (tmp_path / "count.yaml").write_text(FILE)

    def run(*words: str, code: int = 0, people: bool = False) -> Any:
        given = [str(tmp_path / word) if word == "count.yaml" else word for word in words]
        assert main(given + ([] if people else ["--json"]), lambda _: Here(settings)) == code
        out, err = capsys.readouterr()
        return out + err if people else json.loads(out)

    run("pipeline", "publish", "count.yaml")
    return run


def test_a_definition_is_published_under_a_name_a_description_and_a_label(cli: Cli) -> None:
    named = ("--name", "rows", "--description", "Rows.", "--version", "spring")
    made = cli("pipeline", "publish", "count.yaml", *named)
    assert (made["name"], made["spec"]["description"], made["label"], made["version"]) == ("rows", "Rows.", "spring", 1)
    assert cli("pipeline", "publish", "count.yaml", *named)["id"] == made["id"]
    assert {one["name"] for one in cli("pipeline", "list")} == {"count", "rows"}
    assert "spring" in cli("pipeline", "list", people=True)


def test_versions_are_listed_and_any_of_them_may_be_the_default(cli: Cli) -> None:
    cli("pipeline", "publish", "count.yaml", "--description", "Newer.", "--version", "b")
    assert [(one["version"], one["default"]) for one in cli("pipeline", "versions", "count")] == [(2, True), (1, False)]
    assert cli("pipeline", "set-default", "count", "1")["version"] == 1
    assert cli("pipeline", "get", "count")["spec"]["description"] == "Counts."
    assert cli("pipeline", "get", "count", "--version", "2")["label"] == "b"
    assert "no version 9" in cli("pipeline", "get", "count", "--version", "9", code=1)["error"]["message"]
    assert cli("pipeline", "trigger", "count", "--version", "2")["version"] == 2


def test_a_disabled_pipeline_starts_nothing(cli: Cli) -> None:
    assert cli("pipeline", "disable", "count")["enabled"] is False
    assert "is disabled" in cli("pipeline", "trigger", "count", code=1)["error"]["message"]
    assert cli("pipeline", "enable", "count")["enabled"] is True
    assert cli("pipeline", "trigger", "count")["state"] == "queued"


def test_its_keys_are_shown_and_replaced(cli: Cli) -> None:
    keys = cli("pipeline", "keys", "count")
    new = cli("pipeline", "keys", "count", "--rotate", "primary")
    assert (new["primary"] != keys["primary"], new["secondary"]) == (True, keys["secondary"])
    assert cli("pipeline", "keys", "count") == new
    shown = [cli("pipeline", *words) for words in (("list",), ("get", "count"), ("versions", "count"))]
    assert new["primary"] not in json.dumps(shown)


def test_a_trigger_types_each_parameter_and_repeats_by_its_key(cli: Cli) -> None:
    words = ("pipeline", "trigger", "count", "--set", "target=2025", "--set", "trials=7", "--repeat-key", "k")
    run = cli(*words)
    assert (run["parameters"]["target"], run["parameters"]["trials"], run["origin"]) == ("2025", 7, "cli")
    assert run["experiment_name"] == "count", "as by REST, the pipeline's name where none is given"
    assert cli(*words)["id"] == run["id"]
    assert "idempotency key" in cli(*words, "--set", "trials=8", code=1)["error"]["message"]
    assert "no parameter 'x'" in cli("pipeline", "trigger", "count", "--set", "x=1", code=2)["error"]["message"]


def test_runs_are_listed_by_state_experiment_and_page(cli: Cli) -> None:
    ids = [cli("pipeline", "trigger", "count", "--experiment", name)["id"] for name in ("a", "b", "a")]
    cli("pipeline", "cancel", ids[0])

    def listed(*words: str) -> list[str]:
        return [run["id"] for run in cli("pipeline", "list-runs", *words)]

    assert listed("count") == listed() == ids[::-1]
    assert listed("--state", "canceled") == [ids[0]]
    assert listed("--experiment", "a") == [ids[2], ids[0]]
    assert listed("--limit", "1") == [ids[2]]
    assert listed("--limit", "1", "--before", ids[2]) == [ids[1]]
    assert listed("--schedule", "nightly") == []
    head, first, *_ = cli("pipeline", "runs", people=True).splitlines()
    assert head.split()[:6] == ["id", "pipeline", "number", "version", "state", "steps"]
    assert first.split()[:6] == [ids[2], "count", "3", "1", "queued", "0/2"]


def test_a_canceled_run_is_shown_with_its_steps_and_is_retried(cli: Cli) -> None:
    run_id = cli("pipeline", "trigger", "count")["id"]
    assert cli("pipeline", "cancel", run_id)["state"] == "canceled"
    shown = cli("pipeline", "show", run_id, people=True)
    assert shown.startswith("count, run 1 of version 1: canceled")
    assert [line.split()[:2] for line in shown.splitlines()[-2:]] == [["prepare", "canceled"], ["automl", "canceled"]]
    again = cli("pipeline", "retry", run_id)
    assert (again["retry_of"], again["number"]) == (run_id, 2)
    cli("pipeline", "cancel", again["id"])
    said = cli("pipeline", "compare", run_id, again["id"])
    assert {"what": "number", "first": "1", "second": "2"} in said


def test_two_runs_are_compared_by_what_differs(cli: Cli) -> None:
    one = cli("pipeline", "trigger", "count", "--set", "trials=7")["id"]
    other = cli("pipeline", "trigger", "count")["id"]
    rows = {row["what"]: (row["first"], row["second"]) for row in cli("pipeline", "compare", one, other)}
    assert rows["parameter trials"] == (7, 3)
    assert "parameter data" not in rows
    assert rows["prepare: state"] == ("queued", "queued")


def test_a_run_tells_people_how_long_each_step_took_and_why() -> None:
    steps = (
        StepRun("prepare", StepKind.PREPARE, StepState.SUCCEEDED, 1, started_at=1.0, ended_at=3.5, why="ran: new data"),
        StepRun("automl", StepKind.AUTOML, StepState.FAILED, 2, started_at=4.0, ended_at=94.0, message="No memory"),
    )
    run = PipelineRun("r", "p", 2, "x", JobState.FAILED, steps, 0.0, 3700.0, "Step 'automl' failed", 5, started_at=0.0)
    head, _, message, _, _, first, second = run_text(run).splitlines()
    assert (head, message) == ("p, run 5 of version 2: failed after 1 h 1 min", "Step 'automl' failed")
    assert first.split() == ["prepare", "succeeded", "1", "2.5", "s", "ran:", "new", "data"]
    assert second.split() == ["automl", "failed", "2", "1", "min", "30", "s", "No", "memory"]
    assert duration(replace(run, ended_at=None)) == "-"


def test_a_definition_brings_the_code_of_its_steps_along_whether_it_is_yaml_or_python(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "clean.py").write_text("def run():\n    return {}\n")
    (tmp_path / "own.yaml").write_text(
        "name: own\nsteps:\n  - {name: clean, kind: python, code: clean.py, function: 'clean:run'}\n"
    )
    (tmp_path / "own.py").write_text(
        "import clean\nfrom core.definitions import Pipeline\n"
        "pipeline = Pipeline('own')\npipeline.call('clean', clean.run)\n"
    )
    published = cli("pipeline", "publish", str(tmp_path / "own.yaml"))
    (archive,) = (tmp_path / "home" / "pipelines").iterdir()
    assert archive.stem == published["spec"]["steps"][0]["code"]
    assert cli("pipeline", "publish", str(tmp_path / "own.py"))["version"] == 1, "the same definition"


def test_a_published_pipeline_is_told_in_lines_and_its_definition_as_yaml(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(definition := FILE.replace("name: count", "name: told"))
    said = cli("pipeline", "publish", str(tmp_path / "p.yaml"), "--version", "1.0", people=True)
    published = cli("pipeline", "publish", str(tmp_path / "p.yaml"))
    assert said.splitlines()[:2] == ["told, version 1 (1.0), the default, active", f"id     {published['id']}"]
    told = cli("pipeline", "get", "told", people=True)
    assert parse_pipeline(told.partition("\n\n")[2]) == parse_pipeline(definition)


def test_every_problem_of_a_file_is_told_with_its_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(
        FILE.replace("kind: prepare", "kind: prepair").replace("trials: 3", "trails: 3")
    )
    told = cli("pipeline", "publish", str(tmp_path / "wrong.yaml"), code=2, people=True)
    assert "wrong.yaml has 2 problems:\n- line 9: " in told
    assert "- line 10: Step 'automl': 'max_trials' refers to parameter 'trials'" in told


def test_a_training_is_made_a_pipeline_that_is_printed_written_or_published(cli: Cli, tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("age,y\n" + "".join(f"{20 + i % 12},{'yes' if i % 3 else 'no'}\n" for i in range(30)))
    workspace = open_local(read_settings({}, home=str(tmp_path / "home"), offline="1"))
    asset = workspace.data.register("people", str(table))
    job = workspace.jobs.submit(TrainingSpec(asset.ref, "y", timeout_s=30))
    printed = cli("pipeline", "create", "--from-job", job.id, people=True)
    assert "name: people y" in printed
    assert parse_pipeline(printed).defaults["data"] == str(table)
    output = str(tmp_path / "made.yaml")
    wanted = ("--endpoint", "people", "--promote", "--when-better", "--name", "Nightly", "--output", output)
    made = cli("pipeline", "create", "--from-job", job.id, *wanted)
    assert [step["kind"] for step in made["steps"]][-3:] == ["deploy", "gate", "promote"]
    published = cli("pipeline", "publish", output)
    assert cli("pipeline", "create", "--from-job", job.id, *wanted, "--publish") == published
    refused = cli("pipeline", "create", "--from-job", job.id, "--promote", code=2)
    assert refused["error"]["message"] == "--gate and --promote need --endpoint"


def test_a_file_is_read_anew_and_not_mixed_up_with_one_of_the_same_name(cli: Cli, tmp_path: Path) -> None:
    codes = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "clean.py").write_text(f"def run():\n    return {{'{folder}': 1}}\n")
        (tmp_path / folder / "own.py").write_text(
            "import clean\nfrom core.definitions import Pipeline\n"
            "pipeline = Pipeline('own')\npipeline.call('clean', clean.run)\n"
        )
        published = cli("pipeline", "publish", str(tmp_path / folder / "own.py"))
        codes.append((published["version"], published["spec"]["steps"][0]["code"]))
    assert codes[0] != codes[1]
    assert [version for version, _ in codes] == [1, 2]
