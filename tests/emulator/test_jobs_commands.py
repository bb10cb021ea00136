"""Command and pipeline jobs through the unmodified SDK: a client's code runs in a process of its own, where it may."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import emulating
import pytest
from waiting import wait_until

from core.emulator.emulation import Options
from core.emulator.server import Running

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

FINAL = ("Completed", "Failed", "Canceled")
SCRIPT = """
import os, sys, time, json, urllib.request
table, out, word = sys.argv[1:4]
print("looks at", sorted(os.listdir(table)), os.environ["COLOR"], "SLIPWAY_HOME" in os.environ)
if word == "wrong":
    raise ValueError("nothing to learn from")
if word == "slow":
    time.sleep(600)
logged = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "rows", "value": 2, "timestamp": 1, "step": 3}
body = json.dumps(logged).encode()
address = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric"
headers = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "Content-Type": "application/json"}
urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=10)
open(os.path.join(out, "said.txt"), "w").write(word + " of " + ",".join(sorted(os.listdir(table))))
os.makedirs("outputs", exist_ok=True)
open("outputs/own.txt", "w").write("mine")
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with emulating.emulation(tmp_path_factory.mktemp("emulated"), Options(allow_code=True, poll_s=0.05)) as started:
        yield started


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    (folder / "look.py").write_text(SCRIPT, "utf-8")
    return folder


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rows")
    (folder / "rows.csv").write_text("a\n1\n", "utf-8")
    return folder


def look(code: Path, **given: Any) -> Any:
    """A command as the SDK's documentation writes it."""
    from azure.ai.ml import Input, Output, command
    from azure.ai.ml.entities import Environment

    return command(
        name=given.pop("name", None),
        display_name="look",
        experiment_name="looks",
        code=str(code),
        command="python look.py ${{inputs.table}} ${{outputs.out}} ${{inputs.word}} $[[--more ${{inputs.more}}]]",
        environment=Environment(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"),
        environment_variables={"COLOR": "green"},
        inputs={"table": Input(type="uri_folder"), "word": "hello", "more": Input(type="string", optional=True)}
        | given,
        outputs={"out": Output(type="uri_folder")},
    )


def folder_input(rows: Path) -> Any:
    from azure.ai.ml import Input

    return Input(type="uri_folder", path=str(rows))


def ended(ml: MLClient, name: str) -> Any:
    wait_until(lambda: ml.jobs.get(name).status in FINAL, 30)
    return ml.jobs.get(name)


def log_of(running: Running, name: str) -> str:
    from core.emulator import blobs

    return blobs.read(running.emulation, "azureml", f"ExperimentRun/dcid.{name}/user_logs/std_log.txt").decode()


def test_a_command_reads_its_inputs_writes_its_outputs_and_logs_to_mlflow(
    running: Running, ml: MLClient, code: Path, rows: Path, tmp_path: Path
) -> None:
    job = ended(ml, ml.jobs.create_or_update(look(code, table=folder_input(rows))).name)
    assert job.status == "Completed", log_of(running, job.name)
    assert log_of(running, job.name) == "looks at ['rows.csv'] green False\n"
    ml.jobs.download(job.name, download_path=tmp_path, all=True)
    assert (tmp_path / "named-outputs" / "out" / "said.txt").read_text("utf-8") == "hello of rows.csv"
    assert (tmp_path / "artifacts" / "outputs" / "own.txt").read_text("utf-8") == "mine"
    from core.emulator.jobs import measured

    assert measured.latest(running.emulation, job.name)["rows"] == measured.Point(2.0, 1, 3)


def test_a_command_that_fails_says_how_it_ended_and_the_end_of_its_log(
    running: Running, ml: MLClient, code: Path, rows: Path
) -> None:
    job = ended(ml, ml.jobs.create_or_update(look(code, table=folder_input(rows), word="wrong")).name)
    assert job.status == "Failed"
    error = ml.jobs._runs_operations.get_run_details(job.name).error.error
    assert error.code == "UserError"
    assert "exited with status code 1" in error.message
    assert "ValueError: nothing to learn from" in error.message


def test_a_command_is_canceled_within_seconds(running: Running, ml: MLClient, code: Path, rows: Path) -> None:
    job = ml.jobs.create_or_update(look(code, table=folder_input(rows), word="slow"))
    wait_until(lambda: ml.jobs.get(job.name).status == "Running", 20)
    began = time.monotonic()
    ml.jobs.begin_cancel(job.name).wait(20)
    assert ml.jobs.get(job.name).status == "Canceled"
    assert time.monotonic() - began < 8


def test_without_being_allowed_no_code_runs(code: Path, rows: Path, tmp_path: Path) -> None:
    from azure.ai.ml.exceptions import JobException

    with emulating.emulation(tmp_path / "strict") as strict:
        ml = emulating.ml_client(strict)
        alone = ml.jobs.create_or_update(look(code, table=folder_input(rows)))
        both = ml.jobs.create_or_update(two_looks(code, rows, "hello"))
        for job in (alone, both):
            assert ended(ml, job.name).status == "Failed"
            with pytest.raises(JobException, match="without --allow-code"):
                ml.jobs.stream(job.name)
        assert "without --allow-code" in log_of(strict, alone.name)
        assert list(ml.jobs.list(parent_job_name=both.name)) == []


def two_looks(code: Path, rows: Path, word: str, **settings: Any) -> Any:
    """A pipeline of two commands, of which the second takes what the first gives, and a third by itself."""
    from azure.ai.ml import dsl

    step = look(code, name="look")

    @dsl.pipeline(experiment_name="looks")
    def twice(table, word):
        first = step(table=table, word=word)
        second = step(table=first.outputs.out, word="again")
        step(table=table, word="alone")
        return {"last": second.outputs.out}

    made = twice(table=folder_input(rows), word=word)
    made.settings.default_compute = "serverless"
    for name, value in settings.items():
        setattr(made.settings, name, value)
    return made


def states(ml: MLClient, name: str) -> dict[str, str]:
    return {child.display_name: child.status for child in ml.jobs.list(parent_job_name=name)}


def test_the_nodes_of_a_pipeline_take_what_other_nodes_give(
    ml: MLClient, code: Path, rows: Path, tmp_path: Path
) -> None:
    job = ended(ml, ml.jobs.create_or_update(two_looks(code, rows, "first")).name)
    assert job.status == "Completed"
    assert set(states(ml, job.name).values()) == {"Completed"}
    ml.jobs.download(job.name, download_path=tmp_path, output_name="last")
    assert (tmp_path / "named-outputs" / "last" / "said.txt").read_text("utf-8") == "again of said.txt"


@pytest.mark.parametrize("goes_on", [True, False])
def test_what_depends_on_a_node_that_has_failed_does_not_run(
    ml: MLClient, code: Path, rows: Path, goes_on: bool
) -> None:
    job = ended(ml, ml.jobs.create_or_update(two_looks(code, rows, "wrong", continue_on_step_failure=goes_on)).name)
    assert job.status == "Failed"
    found = states(ml, job.name)
    assert found["first"] == "Failed"
    assert "second" not in found
    if goes_on:  # else it may have been canceled first
        assert sorted(found.values()) == ["Completed", "Failed"]


def test_a_pipeline_goes_on_after_the_emulation_was_started_again(code: Path, rows: Path, tmp_path: Path) -> None:
    home, options = tmp_path / "twice", Options(allow_code=True, poll_s=0.05)
    with emulating.emulation(home, options) as before:
        name = emulating.ml_client(before).jobs.create_or_update(two_looks(code, rows, "first")).name
    with emulating.emulation(home, options) as after:
        assert ended(emulating.ml_client(after), name).status == "Completed"


def test_jobs_that_are_not_emulated_are_refused_by_name(ml: MLClient, code: Path, rows: Path) -> None:
    from azure.ai.ml.sweep import Choice
    from azure.core.exceptions import HttpResponseError

    swept = look(code, table=folder_input(rows))(word=Choice(["a", "b"]), table=folder_input(rows)).sweep(
        primary_metric="rows", goal="maximize", sampling_algorithm="random", compute="serverless"
    )
    swept.set_limits(max_total_trials=2)
    with pytest.raises(HttpResponseError, match="sweep jobs are not emulated"):
        ml.jobs.create_or_update(swept)
