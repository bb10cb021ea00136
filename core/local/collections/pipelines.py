"""Published pipelines and their runs."""

from collections.abc import Mapping
from typing import Any

from core.definitions.pipelines import bind, ready
from core.domain.errors import Conflict, JobNotFound, SpecInvalid
from core.domain.job import Job, JobKind, JobState
from core.domain.pipeline import PipelineEndpoint, PipelineRun, PipelineSpec, StepRun
from core.domain.rules import check_text
from core.local.collections.base import LOCAL_COMPUTE, check_limit
from core.local.collections.proofs import ProofVerbs
from core.local.paths import new_id
from core.local.store import transactions


class PipelineVerbs(ProofVerbs):
    """The pipeline verbs of `Workspace`."""

    def publish_pipeline(self, spec: PipelineSpec) -> PipelineEndpoint:
        bind(spec, {})
        pipeline_id = self._store.pipelines.publish(new_id(self._clock), spec, self._clock())
        return self._store.pipelines.get(pipeline_id, self._door())

    def pipelines(self) -> tuple[PipelineEndpoint, ...]:
        return self._store.pipelines.list(self._door())

    def trigger_pipeline(
        self, pipeline: str, experiment_name: str, parameters: Mapping[str, Any] | None = None
    ) -> PipelineRun:
        found = self._store.pipelines.get(pipeline)
        if not found.enabled:
            raise Conflict(f"Pipeline '{found.name}' is disabled", hint="Enable it, or publish it again")
        check_text("The experiment's name", experiment_name, empty=True)
        if not experiment_name.strip():
            raise SpecInvalid("A run needs an experiment name", hint='Send {"ExperimentName": "..."}')
        for step in ready(found.spec, parameters or {}):
            if compute := step.settings.get("compute"):
                self._check_compute(compute)
        body = {
            "pipeline_id": found.id,
            "pipeline": found.name,
            "version": found.version,
            "parameters": {**found.spec.parameters, **(parameters or {})},
        }
        job = self._job(JobKind.PIPELINE, experiment_name, LOCAL_COMPUTE, body)
        transactions.start_run(
            self._store, job, [StepRun(step.name, step.kind, JobState.QUEUED) for step in found.spec.steps]
        )
        return self.pipeline_run(job.id)

    def pipeline_run(self, run_id: str) -> PipelineRun:
        job = self._store.jobs.get(run_id)
        if job.kind is not JobKind.PIPELINE:
            raise JobNotFound(f"Job '{run_id}' is no pipeline run but {job.kind}")
        return self._run(job)

    def pipeline_runs(self, pipeline: str = "", limit: int = 50) -> tuple[PipelineRun, ...]:
        jobs = self._store.jobs.list(JobKind.PIPELINE, check_limit(limit), pipeline=pipeline)
        return tuple(self._run(job) for job in jobs)

    def _run(self, job: Job) -> PipelineRun:
        return PipelineRun(
            id=job.id,
            pipeline=job.spec["pipeline"],
            version=job.spec["version"],
            experiment_name=job.experiment_name,
            state=job.state,
            steps=self._store.steps.list(job.id),
            created_at=job.created_at,
            ended_at=job.ended_at,
            message=job.message,
        )

    def _door(self) -> str:
        return self._store.facts.get("service_url")
