"""A run tells what it made and used, also where it failed, and each of these tells its runs."""

import time
from dataclasses import replace

import pytest
from local_world import World
from run_by_hand import ByHand

from core.domain.job import Job, JobKind, JobSpec, JobState
from core.domain.pipeline import PipelineStep, StepKind, ValueType
from core.domain.proof import GateResult, GateSpec
from core.domain.run import Artifact, StepResult
from core.domain.training import TrainingSpec
from core.local.workspace import open_local


@pytest.fixture
def by_hand(world: World) -> ByHand:
    return ByHand(world.store, world.settings)


def lineage(world: World, run_id: str) -> list[tuple[str, str, str, bool]]:
    made = open_local(world.settings).pipelines.get_run(run_id).artifacts
    return [(each.artifact.type, each.artifact.reference, each.step, each.made) for each in made]


def job(world: World, spec: JobSpec, kind: JobKind, state: JobState, result: GateResult | None = None) -> str:
    """A job that has ended."""
    added = world.store.jobs.add(Job(f"j-{kind}", kind, JobState.QUEUED, "x", "local", spec, time.time()))
    world.store.jobs.start_attempt(added.id, time.time())
    world.store.jobs.end(added.id, state, time.time(), message="it broke", result=result)
    return added.id


def test_a_training_that_failed_is_told_with_its_table(world: World, by_hand: ByHand) -> None:
    training = job(world, TrainingSpec(world.data.ref, "y"), JobKind.AUTOML, JobState.FAILED)
    plan = (
        PipelineStep("data", StepKind.PREPARE, settings={"data": "t"}),
        PipelineStep("train", StepKind.AUTOML, settings={"target": "y"}, inputs={"data": "data.data"}),
    )
    came = {"data": StepResult({"data": "t:1", "new": False}), "train": StepResult(started_job_id=training)}
    by_hand.does = lambda step, job_id: came[step.name]
    run = by_hand.add(plan)
    by_hand.finish(run, plan)
    assert lineage(world, run.id) == [
        ("data", "t:1", "data", False),
        ("data", "t:1", "train", False),
        ("job", training, "train", True),
    ]
    (found,) = open_local(world.settings).pipelines.list_runs(of=Artifact(ValueType.JOB, training))
    assert (found.id, found.state) == (run.id, JobState.FAILED)


def test_a_gate_that_did_not_pass_leaves_its_report_and_a_comparison_names_the_live_model(
    world: World, by_hand: ByHand
) -> None:
    world.add_endpoint("shop")
    world.deploy("shop")
    world.store.endpoints.set_traffic("shop", {"v1": 100}, None, time.time(), "a test")
    gate = job(world, GateSpec("shop", "v1"), JobKind.GATE, JobState.SUCCEEDED, GateResult(False, "report-1"))
    model = world.endpoint("shop").deployments[0].model
    plan = (
        PipelineStep("evaluate", StepKind.EVALUATE, settings={"endpoint": "shop"}),
        PipelineStep("deploy", StepKind.DEPLOY, settings={"endpoint": "shop"}),
        PipelineStep("gate", StepKind.GATE, inputs={"deployment": "deploy.deployment"}),
    )
    came = {
        "evaluate": StepResult({"better": True}),
        "deploy": StepResult({"deployment": "shop/v1"}),
        "gate": StepResult(started_job_id=gate),
    }
    by_hand.does = lambda step, job_id: came[step.name]
    run = by_hand.add(plan)
    steps = by_hand.finish(run, plan)
    assert steps["gate"].message == "The gate did not pass"
    assert lineage(world, run.id) == [
        ("model", f"{model}:1", "evaluate", False),
        ("deployment", "shop/v1", "deploy", True),
        ("deployment", "shop/v1", "gate", False),
        ("report", "report-1", "gate", True),
    ]


def test_a_comparison_is_made_anew_when_another_model_is_live(world: World, by_hand: ByHand) -> None:
    world.add_endpoint("shop")
    plan = (PipelineStep("evaluate", StepKind.EVALUATE, settings={"endpoint": "shop"}),)
    by_hand.does = lambda step, job_id: StepResult({"better": True})
    said = [by_hand.run(plan)["evaluate"].why, by_hand.run(plan)["evaluate"].why]
    named = (replace(plan[0], settings={"endpoint": "empty", "data": "t"}),)
    run = by_hand.add(named, "named")
    by_hand.finish(run, named)
    assert lineage(world, run.id) == [("data", "t:1", "evaluate", False)]
    world.store.data.add(replace(world.data, version=0, sha256="cd" * 32))
    assert by_hand.run(named, "named")["evaluate"].why == "ran: input data changed since run 1"
    world.deploy("shop")
    said.append(by_hand.run(plan)["evaluate"].why)
    world.store.endpoints.set_traffic("shop", {"v1": 100}, None, time.time(), "a test")
    said.append(by_hand.run(plan)["evaluate"].why)
    assert said == [
        "ran: first run of this step",
        "reused: same inputs and code as run 1",
        "reused: same inputs and code as run 1",
        "ran: the live model changed since run 3",
    ]
