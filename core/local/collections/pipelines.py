"""Published pipelines and their runs."""

from collections.abc import Mapping
from typing import Any

from core.definitions.pipelines import bind, ready
from core.domain.errors import Conflict, JobNotFound, SpecInvalid
from core.domain.job import Job, JobKind, JobState
from core.domain.pipeline import PipelineEndpoint, PipelineRun, PipelineSpec, StepKind, StepRun
from core.domain.rules import check_limit, check_text
from core.domain.run import PipelineRunSpec
from core.local.confined import check_run
from core.local.context import LOCAL_COMPUTE, Context
from core.local.paths import new_id
from core.local.queue import check_compute, new_job
from core.local.store import transactions
from core.sources import check_source
from core.workspace.pipelines import Pipelines


class LocalPipelines(Pipelines):
    """Definitions and runs in the store; a run is a job whose worker submits the others."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def publish(self, spec: PipelineSpec) -> PipelineEndpoint:
        for step in bind(spec, {}):
            if step.kind is StepKind.PREPARE and self._context.confined and step.settings["data"]:
                check_source(step.settings["data"], self._context.settings)
        pipeline_id = self._context.store.pipelines.publish(new_id(self._context.clock), spec, self._context.clock())
        return self._context.store.pipelines.get(pipeline_id, self._door())

    def list(self) -> tuple[PipelineEndpoint, ...]:
        return self._context.store.pipelines.list(self._door())

    def trigger(self, pipeline: str, experiment_name: str, parameters: Mapping[str, Any] | None = None) -> PipelineRun:
        found = self._context.store.pipelines.get(pipeline)
        if not found.enabled:
            raise Conflict(f"Pipeline '{found.name}' is disabled", hint="Enable it, or publish it again")
        check_text("The experiment's name", experiment_name, empty=True)
        if not experiment_name.strip():
            raise SpecInvalid("A run needs an experiment name", hint='Send {"ExperimentName": "..."}')
        for step in ready(found.spec, parameters or {}):
            if compute := step.settings.get("compute"):
                check_compute(self._context, compute)
        values = {**found.spec.parameters, **(parameters or {})}
        wanted = PipelineRunSpec(found.id, found.name, found.version, values, self._context.confined)
        check_run(found.spec, wanted, self._context.settings)
        job = new_job(self._context, wanted, experiment_name, LOCAL_COMPUTE)
        steps = [StepRun(step.name, step.kind, JobState.QUEUED) for step in found.spec.steps]
        transactions.start_run(self._context.store, job, steps)
        return self.get_run(job.id)

    def get_run(self, run_id: str) -> PipelineRun:
        job = self._context.store.jobs.get(run_id)
        if not isinstance(job.spec, PipelineRunSpec):
            raise JobNotFound(f"Job '{run_id}' is not a pipeline run but {job.kind}")
        return self._run(job, job.spec)

    def list_runs(self, pipeline: str = "", limit: int = 50) -> tuple[PipelineRun, ...]:
        jobs = self._context.store.jobs.list(JobKind.PIPELINE, check_limit(limit), pipeline=pipeline)
        return tuple(self._run(job, job.spec) for job in jobs if isinstance(job.spec, PipelineRunSpec))

    def _run(self, job: Job, wanted: PipelineRunSpec) -> PipelineRun:
        return PipelineRun(
            id=job.id,
            pipeline=wanted.pipeline,
            version=wanted.version,
            experiment_name=job.experiment_name,
            state=job.state,
            steps=self._context.store.steps.list(job.id),
            created_at=job.created_at,
            ended_at=job.ended_at,
            message=job.message,
        )

    def _door(self) -> str:
        return self._context.store.facts.get("service_url")
