"""The verbs of `pipelines` on Azure ML."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

from core.azure.context import Context
from core.azure.job_logs import log_lines
from core.azure.lacks import LACKS
from core.azure.pipelines import triggering, words
from core.azure.pipelines.documents import RunDocument, runs
from core.azure.pipelines.published import published
from core.azure.pipelines.steps import Steps, step_of
from core.domain.errors import Conflict, JobNotFound
from core.domain.job import JobState, LogLine
from core.domain.pipeline import PipelineEndpoint, PipelineSpec
from core.domain.rules import check_limit
from core.domain.run import Artifact, PipelineRun, RunOrigin, RunSummary
from core.workspace.pipelines import NO_CODE, Pipelines

Follower = Callable[[PipelineEndpoint], None]


def _nobody(pipeline: PipelineEndpoint) -> None:
    """Nothing depends on which version is the default."""


class AzurePipelines(Pipelines):
    """The verbs of `pipelines` on Azure ML."""

    reasons = LACKS

    def __init__(self, context: Context) -> None:
        self._context = context
        self._published, self._steps = published(context), Steps(context)
        self._followers: Follower = _nobody

    def when_default_changes(self, then: Follower) -> None:
        """Call this with a pipeline whose default is another version now."""
        self._followers = then

    def publish(self, spec: PipelineSpec, *, label: str = "", code: Mapping[str, bytes] = NO_CODE) -> PipelineEndpoint:
        made = self._published.publish(spec, label, code)
        if made.version > 1:
            self._followers(made)
        return made

    def list(self) -> tuple[PipelineEndpoint, ...]:
        found = [self._published.shown(held, held.default) for held in self._published.all()]
        return tuple(sorted(found, key=lambda each: -each.created_at))

    def get(self, pipeline: str, version: int = 0) -> PipelineEndpoint:
        return self._published.get(pipeline, version)

    def versions(self, pipeline: str) -> tuple[PipelineEndpoint, ...]:
        held = self._published.held(pipeline)
        return tuple(self._published.shown(held, version) for version in sorted(held.versions, reverse=True))

    def set_default(self, pipeline: str, version: int) -> PipelineEndpoint:
        changed = self._published.set_default(pipeline, version)
        self._followers(changed)
        return changed

    def enable(self, pipeline: str, enabled: bool) -> PipelineEndpoint:
        return self._published.enable(pipeline, enabled)

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
        triggering.check_repeat_key(repeat_key)
        found = self.get(pipeline, version)
        named = version or words.parted(pipeline)[1]
        asked = triggering.digest(named, experiment_name, parameters or {})
        if repeat_key:
            known = triggering.repeated(runs(self._context), found.name, repeat_key, asked, self._context.clock())
            if known:
                return self.get_run(known)
        values = triggering.checked(found, experiment_name, parameters or {})
        known_by = triggering.tags(found, origin, key=repeat_key, asked=asked)
        return self.get_run(triggering.start(self._context, found, experiment_name, values, known_by))

    def get_run(self, run_id: str) -> PipelineRun:
        listed = runs(self._context)
        run = next((each for each in listed if each.id == run_id), None)
        if run is None:
            raise JobNotFound(f"There is no pipeline run '{run_id}' in this workspace")
        return self._run(run, listed)

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
        name = self._published.held(pipeline).name if pipeline else ""
        check_limit(limit)
        listed = runs(self._context)
        at = next((n for n, run in enumerate(listed) if run.id == before), None) if before else -1
        shown = [
            run
            for run in (listed[at + 1 :] if at is not None else [])
            if (not name or run.pipeline == name)
            and state in (None, run.state)
            and schedule in ("", run.tags.get(words.SCHEDULE, ""))
            and experiment_name in ("", run.experiment_name)
            and (of is None or self._used(run, of))
        ]
        return tuple(self._summary(run, listed) for run in shown[:limit])

    def cancel(self, run_id: str) -> PipelineRun:
        run = self.get_run(run_id)
        if run.state.final:
            return run
        with self._context.asking("job", run_id) as client:
            client.jobs.begin_cancel(run_id).result()
        return self.get_run(run_id)

    def retry(self, run_id: str) -> PipelineRun:
        run = self.get_run(run_id)
        if run.state in (JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED):
            said = "has succeeded" if run.state is JobState.SUCCEEDED else f"is {run.state}"
            raise Conflict(f"Run {run.number} of '{run.pipeline}' {said}", hint="Retry one that failed or was canceled")
        found = self.get(run.pipeline, run.version)
        values = triggering.checked(found, run.experiment_name, run.parameters)
        known_by = triggering.tags(found, RunOrigin.RETRY, retry_of=run.id)
        return self.get_run(triggering.start(self._context, found, run.experiment_name, values, known_by))

    def step_log(self, run_id: str, step: str, limit: int = 1000) -> tuple[LogLine, ...]:
        found = step_of(self.get_run(run_id), step)
        check_limit(limit)
        return log_lines(self._context, found.job_id, limit) if found.job_id else ()

    def open_output(self, run_id: str, step: str, output: str) -> BinaryIO:
        return self._steps.open(self.get_run(run_id), step, output)

    def revision(self) -> int:
        """Azure tells nobody that something has changed: each second is another one."""
        return int(self._context.clock())

    def _run(self, run: RunDocument, listed: Sequence[RunDocument]) -> PipelineRun:
        spec = self._spec(run)
        steps = self._steps.of(run, spec) if spec else ()
        return PipelineRun(
            id=run.id,
            pipeline=run.pipeline,
            version=run.version,
            experiment_name=run.experiment_name,
            state=run.state,
            steps=steps,
            created_at=run.created_at,
            started_at=min((s.started_at for s in steps if s.started_at), default=None),
            ended_at=max((s.ended_at for s in steps if s.ended_at), default=None) if run.state.final else None,
            message=next((f"{s.name}: {s.message}" for s in steps if s.message), ""),
            number=_number(run, listed),
            origin=_origin(run),
            schedule=run.tags.get(words.SCHEDULE, ""),
            retry_of=run.tags.get(words.RETRY_OF, ""),
            parameters=_parameters(run, spec),
            spec=spec,
            cancel_requested=run.stopping,
        )

    def _summary(self, run: RunDocument, listed: Sequence[RunDocument]) -> RunSummary:
        spec = self._spec(run)
        total = len(spec.steps) if spec else 0
        return RunSummary(
            id=run.id,
            pipeline=run.pipeline,
            number=_number(run, listed),
            version=run.version,
            experiment_name=run.experiment_name,
            state=run.state,
            origin=_origin(run),
            created_at=run.created_at,
            schedule=run.tags.get(words.SCHEDULE, ""),
            retry_of=run.tags.get(words.RETRY_OF, ""),
            steps_done=total if run.state is JobState.SUCCEEDED else 0,
            steps_total=total,
        )

    def _spec(self, run: RunDocument) -> PipelineSpec | None:
        return self._published.definition(run.pipeline, run.version)

    def _used(self, run: RunDocument, of: Artifact) -> bool:
        spec = self._spec(run)
        steps = self._steps.of(run, spec) if spec else ()
        return any(of.reference in step.outputs.values() for step in steps)


def _number(run: RunDocument, listed: Sequence[RunDocument]) -> int:
    """1 for a pipeline's first run; `listed` is newest first."""
    of_it = [each.id for each in reversed(listed) if each.pipeline == run.pipeline]
    return of_it.index(run.id) + 1 if run.id in of_it else 0


def _parameters(run: RunDocument, spec: PipelineSpec | None) -> Mapping[str, Any]:
    if (values := run.values) is not None:
        return values
    return {**spec.defaults, **words.values(spec, run.inputs)} if spec else {}


def _origin(run: RunDocument) -> RunOrigin:
    """Whoever asks the endpoint directly says nothing of it."""
    try:
        return RunOrigin(run.tags.get(words.ORIGIN, RunOrigin.REST.value))
    except ValueError:
        return RunOrigin.REST
