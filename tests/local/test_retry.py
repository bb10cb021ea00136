"""A retry takes over what succeeded, while it is there, and does the rest: no step that acts is done twice."""

import time
from dataclasses import replace

import pytest
from local_world import SIGNATURE, World
from run_by_hand import ByHand

from core.definitions.advance import Ended
from core.domain.errors import Conflict
from core.domain.job import Job, JobState
from core.domain.model import Model
from core.domain.pipeline import PipelineStep, StepKind, ValueType
from core.domain.run import Artifact, StepResult, StepRun
from core.local.workspace import open_local

OUTPUTS = {"file": ValueType.FILE, "data": ValueType.DATA, "better": ValueType.BOOLEAN}


def command(name: str, *needs: str, **more: object) -> PipelineStep:
    given = {"settings": {"command": [name]}, "outputs": OUTPUTS, "code": "c", "allow_reuse": False, **more}
    return PipelineStep(name, StepKind.COMMAND, needs, **given)  # type: ignore[arg-type]


PLAN = (command("a"), command("b", inputs={"in": "a.file"}), command("c", "b"))


@pytest.fixture
def by_hand(world: World) -> ByHand:
    return ByHand(world.store, world.settings)


def breaking(world: World, *broken: str) -> object:
    def does(step: PipelineStep, job_id: str) -> StepResult | Ended:
        if step.name in broken:
            return Ended(JobState.FAILED, "it broke")
        folder = world.paths.step_outputs(job_id)
        folder.mkdir(parents=True)
        (folder / "f").write_text(step.name)
        return StepResult({"file": f"{job_id}/f", "data": str(world.data.ref), "better": False}, files={"file": "ab"})

    return does


def first(by_hand: ByHand, plan: tuple[PipelineStep, ...], *broken: str, world: World) -> Job:
    by_hand.does = breaking(world, *broken)  # type: ignore[assignment]
    job = by_hand.add(plan)
    by_hand.finish(job, plan)
    by_hand.began.clear()
    return job


def again(
    by_hand: ByHand, run_id: str, plan: tuple[PipelineStep, ...], *broken: str, world: World
) -> dict[str, StepRun]:
    by_hand.does = breaking(world, *broken)  # type: ignore[assignment]
    run = open_local(world.settings).pipelines.retry(run_id)
    return by_hand.finish(world.store.jobs.get(run.id), plan)


def test_what_succeeded_is_taken_over_as_it_is_and_the_rest_is_done(by_hand: ByHand, world: World) -> None:
    failed = first(by_hand, PLAN, "c", world=world)
    before = {step.name: step for step in world.store.runs.steps(failed.id)}
    steps = again(by_hand, failed.id, PLAN, world=world)
    assert by_hand.began == ["c"]
    for name in "ab":
        assert steps[name] == replace(before[name], reused_from=failed.id, why="kept: it succeeded in run 1")
    assert steps["c"].why == "ran: reuse is off for this step"
    (newest, _) = world.store.runs.list(of=Artifact(ValueType.DATA, "t:1"))
    assert {(each.step, each.made) for each in world.store.runs.artifacts(newest.id)} == {
        ("a", False), ("b", False), ("c", True),
    }  # fmt: skip


def test_a_retry_of_a_retry_names_the_run_that_made_the_outputs(by_hand: ByHand, world: World) -> None:
    failed = first(by_hand, PLAN, "b", world=world)
    again(by_hand, failed.id, PLAN, "c", world=world)
    second = world.store.runs.list()[0]
    assert (second.state, second.retry_of, by_hand.began) == (JobState.FAILED, failed.id, ["b", "c"])
    steps = again(by_hand, second.id, PLAN, world=world)
    assert by_hand.began == ["b", "c", "c"]
    assert [steps[name].reused_from for name in "abc"] == [failed.id, second.id, ""]
    with pytest.raises(Conflict, match="Run 3 of 'p' has succeeded"):
        open_local(world.settings).pipelines.retry(world.store.runs.list()[0].id)


def test_what_is_gone_is_done_again_with_all_that_follows(by_hand: ByHand, world: World) -> None:
    failed = first(by_hand, PLAN, "c", world=world)
    job_id = world.store.runs.steps(failed.id)[0].job_id
    (world.paths.step_outputs(job_id) / "f").unlink()
    again(by_hand, failed.id, PLAN, world=world)
    assert by_hand.began == ["a", "b", "c"]


@pytest.mark.parametrize("there", [True, False], ids=["the model is there", "the model is gone"])
def test_a_step_that_acts_is_not_done_twice_while_what_it_made_is_there(
    by_hand: ByHand, world: World, there: bool
) -> None:
    training = world.submit()
    world.paths.job_model(training).mkdir(parents=True)
    world.store.jobs.start_attempt(training, time.time())
    world.store.jobs.end(training, JobState.SUCCEEDED, time.time())
    plan = (
        PipelineStep("data", StepKind.PREPARE, settings={"data": "t"}),
        PipelineStep("train", StepKind.AUTOML, settings={"target": "y"}, inputs={"data": "data.data"}),
        PipelineStep("register", StepKind.REGISTER, settings={"model": "m"}, inputs={"job": "train.job"}),
        command("after", "register"),
    )
    outputs = {"data": {"data": "t:1"}, "train": {"job": training}, "register": {"model": "m:1"}}

    def does(step: PipelineStep, job_id: str) -> StepResult | Ended:
        return StepResult(outputs[step.name]) if step.name in outputs else Ended(JobState.FAILED, "it broke")

    if there:
        world.store.models.add(Model("m", 0, training, 0, "Fake", {}, world.data.ref, SIGNATURE, 1, time.time()))
    by_hand.does = does
    failed = by_hand.add(plan)
    by_hand.finish(failed, plan)
    by_hand.began.clear()
    by_hand.finish(world.store.jobs.get(open_local(world.settings).pipelines.retry(failed.id).id), plan)
    assert by_hand.began == (["after"] if there else ["register", "after"])


def test_a_condition_that_was_false_is_looked_at_again(by_hand: ByHand, world: World) -> None:
    plan = (command("a"), command("b", when="a.better"), command("c", "a"))
    failed = first(by_hand, plan, "c", world=world)
    steps = again(by_hand, failed.id, plan, world=world)
    assert by_hand.began == ["c"]
    assert steps["b"].why == "skipped: 'a.better' is false"


def test_a_run_that_was_canceled_goes_on_where_it_was(by_hand: ByHand, world: World) -> None:
    by_hand.does = breaking(world)  # type: ignore[assignment]
    job = by_hand.add(PLAN)
    world.store.jobs.start_attempt(job.id, time.time())
    by_hand.once(job, PLAN)
    by_hand.once(job, PLAN)
    world.store.jobs.end(job.id, JobState.CANCELED, time.time(), message="Canceled")
    by_hand.began.clear()
    again(by_hand, job.id, PLAN, world=world)
    assert by_hand.began == ["b", "c"]


def test_a_table_that_a_waiting_retry_needs_is_not_deleted(by_hand: ByHand, world: World) -> None:
    failed = first(by_hand, PLAN, "c", world=world)
    workspace = open_local(world.settings)
    waiting = workspace.pipelines.retry(failed.id)
    with pytest.raises(Conflict, match=f"t:1 \\(run {waiting.id}\\)"):
        workspace.data.delete(world.data.ref)
