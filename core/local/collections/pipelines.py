"""Published pipelines and their runs."""

import secrets
from collections.abc import Mapping
from typing import Any, BinaryIO

from core.domain.endpoint import EndpointKeys
from core.domain.errors import Conflict, JobNotFound
from core.domain.job import Job, JobState, LogLine
from core.domain.keys import KEY_BYTES
from core.domain.pipeline import PipelineEndpoint, PipelineSpec
from core.domain.rules import check_limit
from core.domain.run import Artifact, PipelineRun, PipelineRunSpec, RunOrigin, RunSummary
from core.local.context import Context
from core.local.publishing import publish
from core.local.step_outputs import open_file, read_log
from core.local.store.pipelines import REVISION
from core.local.store.triggers import Known
from core.local.triggering import check_repeat_key, checked_run, digest, queue_run, repeated, taken_over
from core.workspace.pipelines import NO_CODE, Pipelines


class LocalPipelines(Pipelines):
    """Definitions and runs in the store; the service carries the runs on."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def publish(self, spec: PipelineSpec, *, label: str = "", code: Mapping[str, bytes] = NO_CODE) -> PipelineEndpoint:
        return self.get(publish(self._context, spec, label, code))

    def list(self) -> tuple[PipelineEndpoint, ...]:
        return self._context.store.pipelines.list(self._door())

    def get(self, pipeline: str, version: int = 0) -> PipelineEndpoint:
        return self._context.store.pipelines.get(pipeline, self._door(), version)

    def versions(self, pipeline: str) -> tuple[PipelineEndpoint, ...]:
        return self._context.store.pipelines.versions(pipeline, self._door())

    def set_default(self, pipeline: str, version: int) -> PipelineEndpoint:
        found = self.get(pipeline, version)
        self._context.store.pipelines.set_default(found.name, found.version)
        return self.get(found.name)

    def enable(self, pipeline: str, enabled: bool) -> PipelineEndpoint:
        name = self.get(pipeline).name
        self._context.store.pipelines.enable(name, enabled)
        return self.get(name)

    def keys(self, pipeline: str) -> EndpointKeys:
        return self._context.store.pipelines.keys(self.get(pipeline).name)

    def rotate_key(self, pipeline: str, which: str) -> EndpointKeys:
        name = self.get(pipeline).name
        return self._context.store.pipelines.rotate_key(name, which, secrets.token_urlsafe(KEY_BYTES))

    def trigger(
        self,
        pipeline: str,
        experiment_name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        version: int = 0,
        origin: RunOrigin = RunOrigin.APP,
        repeat_key: str = "",
    ) -> PipelineRun:
        check_repeat_key(repeat_key)
        found, store, now = self.get(pipeline, version), self._context.store, self._context.clock()
        named = version or (0 if pipeline == found.name else found.version)
        asked = digest(named, experiment_name, parameters or {})
        if before := repeated(store, found.name, repeat_key, asked, now):
            return self.get_run(before)
        job = checked_run(self._context, found, experiment_name, parameters or {}, origin=origin)
        with store.write() as tx:
            # Looked at once more where nobody else can be: of many at once, one starts the run.
            if before := repeated(tx, found.name, repeat_key, asked, now):
                return self.get_run(before)
            queue_run(tx, job, found, self._context.settings.runs_max_queued, {})
            if repeat_key:
                tx.triggers.add(found.name, repeat_key, Known(job.id, asked), now)
        return self.get_run(job.id)

    def get_run(self, run_id: str) -> PipelineRun:
        job = self._context.store.jobs.get(run_id)
        if not isinstance(job.spec, PipelineRunSpec):
            raise JobNotFound(f"Job '{run_id}' is not a pipeline run but {job.kind}")
        return self._run(job, job.spec)

    def list_runs(
        self,
        pipeline: str = "",
        limit: int = 50,
        *,
        state: JobState | None = None,
        schedule: str = "",
        experiment_name: str = "",
        of: Artifact | None = None,
        before: str = "",
    ) -> tuple[RunSummary, ...]:
        name = self.get(pipeline).name if pipeline else ""
        return self._context.store.runs.list(
            name,
            check_limit(limit),
            state=state,
            schedule=schedule,
            experiment_name=experiment_name,
            of=of,
            before=before,
        )

    def cancel(self, run_id: str) -> PipelineRun:
        self.get_run(run_id)
        self._context.store.jobs.cancel(run_id, self._context.clock())
        return self.get_run(run_id)

    def retry(self, run_id: str) -> PipelineRun:
        run = self.get_run(run_id)
        if run.state in (JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED):
            said = "has succeeded" if run.state is JobState.SUCCEEDED else f"is {run.state}"
            raise Conflict(f"Run {run.number} of '{run.pipeline}' {said}", hint="Retry one that failed or was canceled")
        found = self.get(run.pipeline, run.version)
        job = checked_run(
            self._context, found, run.experiment_name, run.parameters, origin=RunOrigin.RETRY, retry_of=run.id
        )
        with self._context.store.write() as tx:
            done = taken_over(tx, self._context.paths, found.spec, run)
            queue_run(tx, job, found, self._context.settings.runs_max_queued, done)
        return self.get_run(job.id)

    def step_log(self, run_id: str, step: str, limit: int = 1000) -> tuple[LogLine, ...]:
        return read_log(self._context, self.get_run(run_id), step, check_limit(limit))

    def open_output(self, run_id: str, step: str, output: str) -> BinaryIO:
        return open_file(self._context, self.get_run(run_id), step, output)

    def revision(self) -> int:
        return int(self._context.store.facts.get(REVISION) or 0)

    def _run(self, job: Job, wanted: PipelineRunSpec) -> PipelineRun:
        summary = self._context.store.runs.summary(job.id)
        return PipelineRun(
            id=job.id,
            pipeline=wanted.pipeline,
            version=wanted.version,
            experiment_name=job.experiment_name,
            state=job.state,
            steps=self._context.store.runs.steps(job.id),
            created_at=job.created_at,
            ended_at=job.ended_at,
            message=job.message,
            number=summary.number if summary else 0,
            origin=wanted.origin,
            schedule=wanted.schedule,
            retry_of=wanted.retry_of,
            parameters=wanted.parameters,
            spec=self._context.store.pipelines.get(wanted.pipeline_id).spec,
            started_at=job.started_at,
            hint=job.hint,
            cancel_requested=job.cancel_requested,
            artifacts=self._context.store.runs.artifacts(job.id),
        )

    def _door(self) -> str:
        return self._context.store.facts.get("service_url")
