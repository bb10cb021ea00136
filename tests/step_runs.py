"""Runs of pipelines in this process: the service's rounds, and its steps and other jobs one after the other."""

from collections.abc import Mapping
from typing import Any

from local_world import World

from core.domain.job import JobState
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind
from core.domain.run import PipelineRun, StepRun
from core.local.service.runs import Runs
from core.local.workspace import open_local

ROUNDS_MAX = 100


def pipeline(*steps: PipelineStep, name: str = "p") -> PipelineSpec:
    return PipelineSpec(name, steps)


def step(kind: StepKind, /, **settings: Any) -> PipelineStep:
    return PipelineStep(kind.value, kind, (), settings)


def run_through(world: World, spec: PipelineSpec, parameters: Mapping[str, Any] | None = None) -> PipelineRun:
    """A run of the definition, to its end."""
    workspace = open_local(world.settings)
    run_id = workspace.pipelines.trigger(workspace.pipelines.publish(spec).id, "x", parameters or {}).id
    runs = Runs(world.store, world.settings)
    for _ in range(ROUNDS_MAX):
        runs.tick()
        if world.job(run_id).state.final:
            return workspace.pipelines.get_run(run_id)
        for job in world.store.jobs.of_workers(JobState.QUEUED):
            world.run_here(job.id)
    raise AssertionError(f"{run_id} did not end: {workspace.pipelines.get_run(run_id)}")


def run_step(world: World, kind: StepKind, /, **settings: Any) -> StepRun:
    """The only step of a run."""
    (done,) = run_through(world, pipeline(step(kind, **settings))).steps
    return done
