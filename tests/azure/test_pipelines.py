"""A pipeline behind a batch endpoint of Azure ML: its steps really run, and leave what they gave."""

from collections.abc import Iterator

import emulating
import pytest
from waiting import wait_until

from core.azure.workspace import open_azure
from core.definitions.code import pack
from core.domain.errors import NotSupported, PipelineNotFound
from core.domain.job import JobState
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind, ValueType
from core.domain.run import PipelineRun, RunOrigin, StepState
from core.domain.schedule import FireOutcome, Frequency, Recurrence, ScheduleSpec
from core.emulator.emulation import Options
from core.workspace import Workspace

CODE = """
import pathlib
def measure(rows, word):
    print("measuring", rows)
    pathlib.Path("report.txt").write_text(word)
    return {"size": rows * 2, "big": rows > 10, "report": "report.txt"}
def read(report, size):
    return {"said": pathlib.Path(report).read_text() + f" {size}"}
"""
SPEC = PipelineSpec(
    "measure",
    (
        PipelineStep(
            "Measure it",
            StepKind.PYTHON,
            settings={"function": "steps:measure", "arguments": {"rows": "${rows}", "word": "${word}"}},
            outputs={"size": ValueType.INTEGER, "big": ValueType.BOOLEAN, "report": ValueType.FILE},
        ),
        PipelineStep(
            "read",
            StepKind.PYTHON,
            settings={"function": "steps:read"},
            inputs={"report": "Measure it.report", "size": "Measure it.size"},
            outputs={"said": ValueType.STRING},
            when="Measure it.big",
        ),
    ),
    parameters=(
        Parameter("rows", ParameterType.INTEGER, 5),
        Parameter("word", ParameterType.STRING, "it's $HOME"),
    ),
)


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[emulating.Running]:
    with emulating.emulation(tmp_path_factory.mktemp("emulated"), Options(allow_code=True)) as running:
        yield running


@pytest.fixture(scope="module")
def workspace(running, tmp_path_factory) -> Workspace:
    return open_azure(emulating.client_settings(tmp_path_factory.mktemp("client")))


@pytest.fixture(scope="module")
def finished(workspace, tmp_path_factory) -> PipelineRun:
    """A run of two steps with code of their own, at its end."""
    folder = tmp_path_factory.mktemp("code")
    (folder / "steps.py").write_text(CODE)
    code = pack(folder)
    workspace.pipelines.publish(SPEC, code={"Measure it": code, "read": code})
    run = workspace.pipelines.trigger("measure", "nightly", {"rows": 11}, origin=RunOrigin.CLI)
    return wait_until(lambda: (now := workspace.pipelines.get_run(run.id)).state.final and now, timeout_s=60)


def test_steps_run_one_after_the_other_and_find_what_came_before(finished):
    assert (finished.state, finished.message) == (JobState.SUCCEEDED, "")
    measured, read = finished.steps
    assert measured.outputs == {"size": 22, "big": True, "report": "report"}
    assert (read.state, read.outputs) == (StepState.SUCCEEDED, {"said": "it's $HOME 22"})
    assert measured.ended_at <= read.started_at
    assert (finished.origin, finished.parameters) == (RunOrigin.CLI, {"rows": 11, "word": "it's $HOME"})


def test_what_a_step_printed_and_gave_can_be_read(workspace, finished):
    assert "measuring 11" in [line.text for line in workspace.pipelines.step_log(finished.id, "Measure it")]
    with workspace.pipelines.open_output(finished.id, "Measure it", "report") as stream:
        assert stream.read() == b"it's $HOME"


def test_a_step_that_azure_cannot_do_is_refused_when_it_is_published(workspace):
    steps = (
        PipelineStep("prepare", StepKind.PREPARE, (), {"data": "people"}),
        PipelineStep("train", StepKind.AUTOML, ("prepare",), {"target": "y"}),
        PipelineStep("compare", StepKind.EVALUATE, ("train",), {"endpoint": "people"}),
    )
    with pytest.raises(NotSupported, match="Step 'compare' cannot run on Azure"):
        workspace.pipelines.publish(PipelineSpec("compare", steps))
    with pytest.raises(PipelineNotFound):
        workspace.pipelines.get("compare")


def test_a_schedule_starts_its_run_when_it_is_due_and_none_while_it_is_off(workspace, running):
    step = PipelineStep("hello", StepKind.COMMAND, (), {"command": ["python", "--version"]})
    workspace.pipelines.publish(PipelineSpec("hello", (step,)))
    often = ScheduleSpec("often", "hello", recurrence=Recurrence(Frequency.MINUTE, 5), timezone="Europe/Berlin")
    workspace.schedules.create(often)
    running.emulation.clock.forward(360)
    (fire, *_) = wait_until(lambda: workspace.schedules.fires("often"), timeout_s=10)
    run = workspace.pipelines.get_run(fire.run_id)
    assert (fire.outcome, run.origin, run.schedule, run.pipeline) == (
        FireOutcome.STARTED,
        RunOrigin.SCHEDULE,
        "often",
        "hello",
    )
    workspace.schedules.enable("often", False)
    before = len(workspace.schedules.fires("often"))
    running.emulation.clock.forward(600)
    workspace.pipelines.cancel(run.id)
    assert len(workspace.schedules.fires("often")) == before
    workspace.schedules.delete("often")
    assert workspace.pipelines.get_run(run.id).schedule == "often"
