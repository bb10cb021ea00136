"""Named failpoints: a death where it was asked for, once, and none anywhere else."""

import re
from pathlib import Path

import pytest
from local_world import World, ticking
from waiting import wait_until

from core.domain.job import JobKind, JobState
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind
from core.local import failpoints
from core.local.failpoints import Failpoint, arm, reach
from core.local.workspace import LocalWorkspace
from core.settings import CHECKOUT

SPEC = PipelineSpec(
    "p",
    (
        PipelineStep("prepare", StepKind.PREPARE, (), {"data": "${data}"}),
        PipelineStep("automl", StepKind.AUTOML, ("prepare",), {"target": "y", "max_trials": 2}),
        PipelineStep("register", StepKind.REGISTER, ("automl",), {"model": "m"}),
    ),
    parameters={"data": ""},
)
OF_A_RUN = [Failpoint.PIPELINE_SUBMITTED, Failpoint.PIPELINE_STEP_DONE, Failpoint.MODEL_COPIED]
RARER = [Failpoint.PIPELINE_STEP_BEGUN, Failpoint.PIPELINE_STEP_KEPT, Failpoint.AUTOML_PACKAGED, Failpoint.JOB_DONE]


@pytest.fixture
def points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which points are armed, for us and for the workers that we start."""
    monkeypatch.setenv(failpoints.VARIABLE, str(tmp_path / "points"))
    return tmp_path / "points"


@pytest.mark.parametrize("point", [*OF_A_RUN, *(pytest.param(p, marks=pytest.mark.full) for p in RARER)], ids=str)
def test_a_run_that_is_killed_at_any_step_does_each_once(
    world: World, tmp_path: Path, points: Path, point: Failpoint
) -> None:
    table = tmp_path / "people.csv"
    table.write_text("age,y\n" + "".join(f"{20 + i % 12},{'yes' if i % 3 else 'no'}\n" for i in range(30)))
    workspace = LocalWorkspace(world.settings)
    arm(points, point)
    run_id = workspace.trigger_pipeline(workspace.publish_pipeline(SPEC).id, "x", {"data": str(table)}).id
    jobs = world.jobs()
    wait_until(ticking(jobs.tick, lambda: world.job(run_id).state.final), 60)
    assert not (points / point).exists(), "somebody died there"
    trainings = world.store.list_jobs(JobKind.AUTOML)
    assert (world.job(run_id).state, world.job(run_id).message) == (JobState.SUCCEEDED, "")
    assert sum(job.attempt for job in (world.job(run_id), *trainings)) == 3
    assert (len(trainings), [model.version for model in world.store.list_models()]) == (1, [1])


def test_a_point_that_nobody_armed_is_passed(points: Path) -> None:
    reach(Failpoint.JOB_DONE)
    arm(points, Failpoint.JOB_DONE, 1_000)
    reach(Failpoint.JOB_DONE)
    assert (points / Failpoint.JOB_DONE).exists()


def test_without_the_variable_an_armed_point_is_passed(tmp_path: Path) -> None:
    arm(tmp_path, Failpoint.JOB_DONE)
    reach(Failpoint.JOB_DONE)


def test_every_point_stands_in_the_code_once() -> None:
    code = "".join(path.read_text() for path in (CHECKOUT / "core" / "local").glob("*.py"))
    assert sorted(re.findall(r"reach\(Failpoint\.(\w+)\)", code)) == sorted(point.name for point in Failpoint)
