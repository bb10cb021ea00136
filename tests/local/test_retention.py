"""Old runs and too large outputs go, oldest first; what is needed, and what a run has made for good, stays."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from local_world import World
from run_by_hand import ByHand

from core.domain.errors import Conflict, JobNotFound
from core.domain.job import Job, JobKind, JobState
from core.domain.pipeline import PipelineStep, StepKind, ValueType
from core.domain.run import Artifact, StepResult, StepSpec
from core.local.machine import failpoints
from core.local.machine.failpoints import Failpoint, arm
from core.local.service.retention import DAY_S, Retention
from core.local.store import Store
from core.local.workspace import open_local

MB = 1_000_000


def command(name: str, code: str = "c", **more: object) -> PipelineStep:
    outputs = {"file": ValueType.FILE, "data": ValueType.DATA}
    given = {"settings": {"command": [name]}, "outputs": outputs, "code": code, **more}
    return PipelineStep(name, StepKind.COMMAND, **given)  # type: ignore[arg-type]


@pytest.fixture
def by_hand(world: World) -> ByHand:
    def does(step: PipelineStep, job_id: str) -> StepResult:
        folder = world.paths.step_outputs(job_id)
        folder.mkdir(parents=True)
        (folder / "f").write_bytes(b"x" * MB)
        return StepResult({"file": f"{job_id}/f", "data": str(world.data.ref)}, files={"file": step.code})

    return ByHand(world.store, world.settings, does)


def later(world: World, days: float = 91.0) -> Retention:
    return Retention(world.store, world.settings, clock=lambda: time.time() + days * DAY_S)


def done(by_hand: ByHand, *plan: PipelineStep, name: str = "p", **more: str) -> Job:
    job = by_hand.add(plan, name, **more)
    by_hand.finish(job, plan)
    return job


def folders(world: World) -> set[str]:
    jobs = world.settings.home / "jobs"
    return {path.name for path in jobs.iterdir()} if jobs.exists() else set()


def numbers(world: World) -> list[tuple[str, int]]:
    return sorted((run.pipeline, run.number) for run in world.store.runs.list())


def test_old_runs_go_with_their_jobs_logs_and_folders_and_the_newest_of_each_pipeline_stays(
    world: World, by_hand: ByHand
) -> None:
    old = [done(by_hand, command("a", code)) for code in "cde"]
    done(by_hand, command("b"), name="q")
    done(by_hand, command("z"))
    later(world, 89.0).once()
    assert len(numbers(world)) == 5
    later(world).once()
    assert numbers(world) == [("p", 4), ("q", 1)]
    assert len(folders(world)) == 2
    for job in old:
        with pytest.raises(JobNotFound):
            world.store.jobs.get(job.id)
        assert (world.store.runs.steps(job.id), world.store.runs.artifacts(job.id)) == ((), ())
    assert world.store.data.get(world.data.ref) == world.data, "what runs have made stays"
    assert world.store.old_runs.folders() == ()
    again = by_hand.run((command("a"),))
    assert again["a"].why == "ran: first run of this step", "a step that is forgotten stands for no other"


def test_what_a_run_that_goes_on_has_taken_over_stays(world: World, by_hand: ByHand) -> None:
    plan = (command("a"), command("b", inputs={"in": "a.file"}))
    first = done(by_hand, plan[0])
    going = by_hand.add(plan)
    world.store.jobs.start_attempt(going.id, time.time())
    by_hand.once(going, plan)
    for code in "de":
        done(by_hand, command("a", code))
    assert world.store.runs.steps(going.id)[0].reused_from == first.id
    retention = later(world)
    retention.once()
    retention.trim()
    assert numbers(world) == [("p", 1), ("p", 2), ("p", 4)]
    while by_hand.once(going, plan):
        pass
    assert world.store.jobs.get(going.id).state is JobState.SUCCEEDED
    retention.once()
    assert numbers(world) == [("p", 4)]


def test_a_training_outlives_its_run(world: World, by_hand: ByHand) -> None:
    job = done(by_hand, command("a"))
    step_job = world.store.jobs.add(
        Job("step", JobKind.STEP, JobState.SUCCEEDED, "x", "local", StepSpec(job.id, "a"), 1.0, parent_id=job.id)
    )
    training = world.submit()
    with world.store._database.write() as tx:
        tx.execute("UPDATE jobs SET parent_id = ? WHERE id = ?", step_job.id, training)
    done(by_hand, command("b"))
    later(world).once()
    assert world.job(training).parent_id is None


@pytest.mark.parametrize("point", [Failpoint.RUNS_FORGOTTEN, Failpoint.OUTPUTS_MOVED], ids=str)
def test_who_dies_while_removing_leaves_nothing_half_removed(
    world: World, by_hand: ByHand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: Failpoint
) -> None:
    done(by_hand, command("a"))
    done(by_hand, command("b"))
    monkeypatch.setenv(failpoints.VARIABLE, str(tmp_path / "points"))
    arm(tmp_path / "points", point)
    limited = replace(world.settings, step_outputs_max_mb=1.5)
    days = 91.0 if point is Failpoint.RUNS_FORGOTTEN else 0.0
    if (child := os.fork()) == 0:
        store = Store(world.paths.store)
        Retention(store, limited, clock=lambda: time.time() + days * DAY_S).once()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    later(world, days).once()
    if point is Failpoint.RUNS_FORGOTTEN:
        assert [world.job(job_id).kind for job_id in folders(world)] == [JobKind.STEP]
        assert world.store.old_runs.folders() == ()
    else:
        assert by_hand.run((command("a"),))["a"].why == "ran: the outputs of run 1 were removed"


def test_the_oldest_outputs_go_above_the_limit_and_their_steps_say_so(world: World, by_hand: ByHand) -> None:
    for code in "cde":
        done(by_hand, command("a", code))
        time.sleep(0.002)  # ids sort by the millisecond of their birth
    limited = replace(world.settings, step_outputs_max_mb=2.5)
    Retention(world.store, limited).once()
    whys = [by_hand.run((command("a", code),))["a"].why for code in "edc"]
    assert whys[:2] == ["reused: same inputs and code as run 3", "reused: same inputs and code as run 2"]
    assert whys[2] == "ran: its code changed since run 5"


def test_a_table_that_a_run_needs_is_not_deleted_under_it(world: World, by_hand: ByHand) -> None:
    plan = (command("a"), command("b", inputs={"in": "a.data"}))
    going = by_hand.add(plan)
    world.store.jobs.start_attempt(going.id, time.time())
    by_hand.once(going, plan)
    by_hand.once(going, plan)
    with pytest.raises(Conflict, match=f"is in use: t:1 \\(run {going.id}\\)"):
        open_local(world.settings).data.delete(world.data.ref)
    used = world.store.runs.list(of=Artifact(ValueType.DATA, "t:1"))
    assert [run.id for run in used] == [going.id]
