"""Named failpoints: a death where it was asked for, once, and none anywhere else."""

import re
import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from local_world import World, ticking
from scripted import OK, scripted
from turns import in_turn, on_day
from waiting import wait_until

from core.domain.endpoint import GateState
from core.domain.job import JobKind, JobState
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind
from core.domain.proof import LoadResult, LoadSpec
from core.domain.run import StepState
from core.local.machine import failpoints
from core.local.machine.failpoints import Failpoint, arm, reach
from core.local.service.runs import Runs
from core.local.workspace import open_local
from core.settings import CHECKOUT

SPEC = PipelineSpec(
    "p",
    (
        PipelineStep("prepare", StepKind.PREPARE, (), {"data": "${data}"}),
        PipelineStep("automl", StepKind.AUTOML, ("prepare",), {"target": "y", "max_trials": 2}),
        PipelineStep("register", StepKind.REGISTER, ("automl",), {"model": "m"}),
    ),
    parameters=(Parameter("data", ParameterType.DATA, ""),),
)
OF_A_RUN = [Failpoint.STEP_SUBMITTED, Failpoint.STEP_DONE, Failpoint.MODEL_COPIED]
DAYS = 3
"""Workers that are killed and begun again take 2 to 5 s of a processor."""
RARER = [Failpoint.STEP_BEGUN, Failpoint.AUTOML_PACKAGED, Failpoint.JOB_DONE]


@pytest.fixture
def points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which points are armed, for us and for the workers that we start."""
    monkeypatch.setenv(failpoints.VARIABLE, str(tmp_path / "points"))
    return tmp_path / "points"


@pytest.mark.parametrize("point", [*in_turn(OF_A_RUN, DAYS), *(pytest.param(p, marks=pytest.mark.full) for p in RARER)])
def test_a_run_that_is_killed_at_any_step_does_each_once(
    world: World, tmp_path: Path, points: Path, point: Failpoint
) -> None:
    table = tmp_path / "people.csv"
    table.write_text("age,y\n" + "".join(f"{20 + i % 12},{'yes' if i % 3 else 'no'}\n" for i in range(30)))
    workspace = open_local(world.settings)
    arm(points, point)
    run_id = workspace.pipelines.trigger(workspace.pipelines.publish(SPEC).id, "x", {"data": str(table)}).id
    wait_until(ticking(world.reconciler(), lambda: world.job(run_id).state.final), 60)
    assert not (points / point).exists(), "somebody died there"
    trainings = world.store.jobs.list(JobKind.AUTOML)
    assert (world.job(run_id).state, world.job(run_id).message) == (JobState.SUCCEEDED, "")
    steps = world.store.jobs.list(JobKind.STEP)
    assert sum(job.attempt for job in (*steps, *trainings)) == len(SPEC.steps) + 2, "one of them was begun again"
    assert (len(trainings), [model.version for model in world.store.models.list()]) == (1, [1])


SERVED = PipelineSpec(
    "served",
    (
        *SPEC.steps,
        PipelineStep("deploy", StepKind.DEPLOY, (), {"endpoint": "bank"}),
        PipelineStep("gate", StepKind.GATE),
        PipelineStep("promote", StepKind.PROMOTE),
    ),
    parameters=SPEC.parameters,
)
ACTING = ("register", "deploy", "gate", "promote")


@on_day(0, DAYS)
@pytest.mark.parametrize(
    "point",
    [
        Failpoint.STEP_SUBMITTED,
        pytest.param(Failpoint.STEP_BEGUN, marks=pytest.mark.full),
        pytest.param(Failpoint.STEP_DONE, marks=pytest.mark.full),
    ],
    ids=str,
)
def test_what_others_see_is_done_once_though_every_step_that_does_it_is_killed(
    world: World, tmp_path: Path, points: Path, point: Failpoint
) -> None:
    table = tmp_path / "people.csv"
    table.write_text("age,y\n" + "".join(f"{20 + i % 12},{'yes' if i % 3 else 'no'}\n" for i in range(30)))
    world.add_endpoint("bank")
    world.deploy("bank", "old")
    world.store.endpoints.set_traffic("bank", {"old": 100}, None, 1.0, "Ada")
    workspace = open_local(world.settings)
    run_id = workspace.pipelines.trigger(workspace.pipelines.publish(SERVED).id, "x", {"data": str(table)}).id
    runs, jobs, servers = Runs(world.store, world.settings), world.jobs(), world.supervisor()
    armed: set[str] = set()

    def ended() -> bool:
        runs.tick()
        for step in world.store.runs.steps(run_id):
            if step.name in ACTING and step.state is StepState.RUNNING and step.name not in armed:
                armed.add(step.name)
                arm(points, point)  # its process is the next that begins
        jobs.tick()
        servers.tick()
        return world.job(run_id).state.final

    wait_until(ended, 90)
    assert (world.job(run_id).state, world.job(run_id).message) == (JobState.SUCCEEDED, "")
    steps = {step.name: step for step in world.store.runs.steps(run_id)}
    attempts = {name: world.job(steps[name].job_id).attempt for name in ACTING}
    if point is Failpoint.STEP_SUBMITTED:
        del attempts["gate"]  # which may have passed before, so that its step submits nothing
    assert set(attempts.values()) == {2}, attempts
    assert [model.ref for model in world.store.models.list() if model.name == "m"] == ["m:1"]
    endpoint = world.endpoint("bank")
    assert [(d.name, d.gate) for d in endpoint.deployments] == [("old", GateState.PASSED), ("v1", GateState.PASSED)]
    assert len(world.store.jobs.list(JobKind.GATE)) == 2
    assert endpoint.traffic == {"old": 0, "v1": 100}
    assert steps["promote"].outputs == {"promoted": True, "traffic": {"old": 0, "v1": 100}, "previous": {"old": 100}}
    assert steps["promote"].note == "bank/v1 has all traffic; before: old 100 %"


def test_a_gate_that_is_killed_before_it_is_kept_is_judged_again_and_kept_once(world: World, tmp_path: Path) -> None:
    world.add_endpoint("bank")
    world.deploy("bank", folder="missing")  # its candidate does not start, which is a verdict too
    gate = world.endpoint("bank").deployments[0].gate_job_id
    arm(tmp_path / "points", Failpoint.GATE_JUDGED)
    assert world.attempt(gate, tmp_path / "points") == -signal.SIGKILL
    assert (world.store.proofs.gate_reports(), world.endpoint("bank").deployments[0].gate) == ((), GateState.RUNNING)
    assert world.attempt(gate, tmp_path / "points") == 0
    (report,) = world.store.proofs.gate_reports()
    assert [(check.name, check.passed) for check in report.checks] == [("starts", False)]
    assert len(open_local(world.settings).proofs.gate_progress(gate).checks) == 1, (
        "the first attempt's check is not told twice"
    )
    assert world.endpoint("bank").deployments[0].gate is GateState.FAILED
    assert (world.job(gate).state, world.job(gate).attempt) == (JobState.SUCCEEDED, 2)


LATER = pytest.param(Failpoint.JOB_DONE, marks=pytest.mark.full)


@on_day(2, DAYS)
@pytest.mark.parametrize("point", [Failpoint.LOADTEST_KEPT, LATER], ids=str)
def test_a_load_test_that_is_killed_with_its_report_kept_replaces_it(
    world: World, tmp_path: Path, point: Failpoint
) -> None:
    with scripted(lambda n: OK) as (target, requests):
        world.add_endpoint("bank", urlsplit(target.url).port or 0)
        world.deploy("bank")
        world.store.endpoints.set_traffic("bank", {"v1": 100}, None, 1.0, "Ada")
        spec = LoadSpec(target, duration_s=0.3, concurrency=1, rows=1, max_requests=5)
        job_id = open_local(world.settings).jobs.submit(spec).id
        arm(tmp_path / "points", point)
        assert world.attempt(job_id, tmp_path / "points") == -signal.SIGKILL
        (first,) = world.store.proofs.load_reports()
        assert world.attempt(job_id, tmp_path / "points") == 0
    (report,) = world.store.proofs.load_reports()
    assert (report.id, report.requests, report.failed) == (job_id, 5, 0)
    assert report.created_at > first.created_at, "what the second attempt met counts"
    assert (world.job(job_id).state, world.job(job_id).result) == (JobState.SUCCEEDED, LoadResult(job_id))
    assert open_local(world.settings).proofs.load_progress(job_id) == report
    assert not [line for line in requests if b"the-key" in line], "the key of the job's own sender is used"


def test_a_point_that_nobody_armed_is_passed(points: Path) -> None:
    reach(Failpoint.JOB_DONE)
    arm(points, Failpoint.JOB_DONE, 1_000)
    reach(Failpoint.JOB_DONE)
    assert (points / Failpoint.JOB_DONE).exists()


def test_without_the_variable_an_armed_point_is_passed(tmp_path: Path) -> None:
    arm(tmp_path, Failpoint.JOB_DONE)
    reach(Failpoint.JOB_DONE)


def test_every_point_stands_in_the_code_once() -> None:
    code = "".join(path.read_text() for path in (CHECKOUT / "core" / "local").rglob("*.py"))
    of_a_batch = re.findall(r"reach\(Point\.(\w+)\)", (CHECKOUT / "core" / "work" / "batch.py").read_text())
    reached = [*re.findall(r"reach\(Failpoint\.(\w+)\)", code), *(f"BATCH_{name}" for name in of_a_batch)]
    assert sorted(reached) == sorted(point.name for point in Failpoint)
