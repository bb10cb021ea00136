"""Steps with code of their own, published and run as a service would run them."""

import hashlib
import io
import tarfile
import time
from collections.abc import Mapping
from typing import Any

from local_world import World

from core.domain.job import Job, JobKind, JobState
from core.domain.pipeline import Parameter, PipelineSpec, PipelineStep, StepKind, ValueType
from core.domain.run import PipelineRun, PipelineRunSpec, StepResult, StepRun, StepSpec
from core.durable import write_atomic
from core.local.paths import new_id
from core.local.worker import step_command, step_python
from core.local.worker.step_attempt import Step
from core.local.worker.tools import Tools
from core.local.worker.work import JobLog, Work
from core.local.workspace import open_local


def publish_code(world: World, files: Mapping[str, str]) -> str:
    """A folder of code as `pipeline publish` keeps it; its digest."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text.encode()), 0o755
            archive.addfile(member, io.BytesIO(text.encode()))
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    write_atomic(world.paths.pipeline_code(digest), packed.getvalue())
    return digest


def command(world: World, code: str, *words: Any, **fields: Any) -> PipelineStep:
    """A step that runs `code` as a Python program with these words."""
    digest = publish_code(world, {"step.py": code})
    arguments = fields.pop("arguments", {})
    settings = {"command": ["python", "step.py", *map(str, words)], "arguments": arguments}
    return PipelineStep(fields.pop("name", "own"), StepKind.COMMAND, settings=settings, code=digest, **fields)


def function(world: World, code: str, arguments: Mapping[str, Any] | None = None, **fields: Any) -> PipelineStep:
    """A step that calls `run` of `code`."""
    digest = publish_code(world, {"step.py": code})
    settings = {"function": "step:run", "arguments": arguments or {}}
    return PipelineStep("own", StepKind.PYTHON, settings=settings, code=digest, **fields)


def work_on(world: World, step: PipelineStep, inputs: Mapping[str, tuple[ValueType, Any]] | None = None) -> "OneStep":
    """An attempt at the step, in this process."""
    return OneStep(world, step, inputs or {})


class OneStep:
    """An attempt at a step by this process, without a run around it."""

    def __init__(self, world: World, step: PipelineStep, inputs: Mapping[str, tuple[ValueType, Any]]) -> None:
        now = time.time()
        self.world = world
        self.run_job = Job(
            new_id(), JobKind.PIPELINE, JobState.RUNNING, "x", "local", PipelineRunSpec("p", "p", 1), now
        )
        spec = StepSpec(self.run_job.id, step.name)
        self.job = world.store.jobs.add(Job(new_id(), JobKind.STEP, JobState.QUEUED, "x", "local", spec, now))
        world.store.jobs.start_attempt(self.job.id, now)
        values = {name: value for name, (_, value) in inputs.items()}
        types = {name: kind for name, (kind, _) in inputs.items()}
        self.step = Step(self.run_job, self.run_job.spec, step, values, 1, types)  # type: ignore[arg-type]

    def do(self) -> StepResult:
        path = self.world.paths.job_log(self.job.id)
        with JobLog(path, time.time) as log:
            workspace = open_local(self.world.settings)
            work = Work(self.job, workspace, self.world.store, self.world.paths, time.time, log, Tools())
            kinds = {StepKind.COMMAND: step_command, StepKind.PYTHON: step_python}
            return kinds[self.step.step.kind].run(work, self.step)

    @property
    def log(self) -> list[tuple[str, str]]:
        """Level and text of every line."""
        lines = open_local(self.world.settings).jobs.logs(self.job.id, 1_000_000)
        return [(line.level, line.text) for line in lines]


def trigger(world: World, *steps: PipelineStep, parameters: tuple[Parameter, ...] = (), **given: Any) -> PipelineRun:
    """A queued run of these steps."""
    pipelines = open_local(world.settings).pipelines
    published = pipelines.publish(PipelineSpec("own", steps, parameters=parameters))
    return pipelines.trigger(published.id, "x", given)


def step_of(world: World, run_id: str, name: str = "own") -> StepRun:
    """The step as it is now."""
    run = open_local(world.settings).pipelines.get_run(run_id)
    return next(step for step in run.steps if step.name == name)
