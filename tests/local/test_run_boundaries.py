"""The service dies at every boundary of a run, before and after it has kept what comes next, alone or with all it had
started; the run goes on each time as if nothing had been."""

import os
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path

import living
import psutil
import pytest
from local_world import World
from turns import on_day
from waiting import wait_until

from core.domain.job import JobKind, JobState
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind
from core.domain.run import StepState
from core.local.machine import failpoints, processes
from core.local.machine.failpoints import Failpoint, arm
from core.local.machine.processes import Process
from core.local.workspace import open_local
from core.workspace import Workspace

POINTS = (Failpoint.RUN_DECIDED, Failpoint.RUN_CARRIED_OUT)
ROUNDS = 8
"""Of three steps, one of which starts a training: begin and end of each, the training's start, the run's end."""
ALL = pytest.param(True, id="with everything", marks=pytest.mark.full)
BOTH = [pytest.param(0, id="before it is kept first"), pytest.param(1, id="after it is kept first")]


def over(workspace: Workspace, run_id: str, service: Process) -> bool:
    return not processes.alive(service) or workspace.jobs.get(run_id).state.final


@on_day(2, 3)
@pytest.mark.usefixtures("forked_services")
@pytest.mark.parametrize("first", [BOTH[0], pytest.param(*BOTH[1].values, id=BOTH[1].id, marks=pytest.mark.full)])
@pytest.mark.parametrize("everything", [pytest.param(False, id="alone"), ALL])
def test_a_service_that_dies_at_each_boundary_repeats_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, everything: bool, first: int
) -> None:
    points = tmp_path / "points"
    monkeypatch.setenv(failpoints.VARIABLE, str(points))
    table = tmp_path / "people.csv"
    table.write_text("age,y\n" + "".join(f"{20 + i % 12},{'yes' if i % 3 else 'no'}\n" for i in range(30)))
    spec = PipelineSpec(
        "p",
        (
            PipelineStep("prepare", StepKind.PREPARE, (), {"data": str(table)}),
            PipelineStep("train", StepKind.AUTOML, ("prepare",), {"target": "y", "max_trials": 2}),
            PipelineStep("register", StepKind.REGISTER, ("train",), {"model": "m"}),
        ),
    )
    workspace = open_local(world.settings)
    run_id = workspace.pipelines.trigger(workspace.pipelines.publish(spec).id, "x").id
    deaths = 0
    while not workspace.jobs.get(run_id).state.final:
        arm(points, POINTS[(first + deaths) % 2])
        service = world.spawn_service()
        wait_until(partial(over, workspace, run_id, service), 60)
        deaths += not processes.alive(service)
        if everything:
            for process in living.alive_in(world.settings.home):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        if processes.alive(service):
            os.kill(service.pid, signal.SIGKILL)
    assert deaths >= ROUNDS, "it died at every boundary"
    run = workspace.pipelines.get_run(run_id)
    assert (run.state, run.message) == (JobState.SUCCEEDED, "")
    assert [step.state for step in run.steps] == [StepState.SUCCEEDED] * 3
    assert len(world.store.jobs.list(JobKind.STEP)) == 3
    assert len(world.store.jobs.list(JobKind.AUTOML)) == 1
    assert [model.version for model in world.store.models.list()] == [1]
