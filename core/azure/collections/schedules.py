"""The verbs of `schedules` on Azure ML."""

import logging
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.azure import sdk
from core.azure.arm import ask_all, find
from core.azure.collections.pipelines import AzurePipelines
from core.azure.context import TAG, Context
from core.azure.kept import found, kept
from core.azure.lacks import LACKS
from core.azure.names import asset_name
from core.azure.pipelines import triggering, triggers, words
from core.azure.pipelines.documents import RunDocument, runs
from core.azure.pipelines.published import moment
from core.definitions.fires import check_schedule, next_fires
from core.definitions.schedule_words import schedule_words
from core.domain.data import DataRef
from core.domain.errors import Conflict, PipelineNotFound, SlipwayError
from core.domain.pipeline import PipelineEndpoint
from core.domain.rules import check_limit
from core.domain.run import PipelineRun, RunOrigin
from core.domain.schedule import Fire, FireOutcome, Schedule, ScheduleSpec
from core.workspace.data import DataAssets
from core.workspace.schedules import Schedules

log = logging.getLogger(__name__)
API = "2024-01-01-preview"
SHOWN_FIRES = 5
SPEC, NUMBER, NOW = f"{TAG}.schedule", f"{TAG}.schedule-id", f"{TAG}.now"
"""Properties of a schedule, and a tag of its runs; the id tells a schedule from an earlier one of its name."""


@dataclass(frozen=True, slots=True)
class Held:
    """A schedule as Azure has it."""

    spec: ScheduleSpec
    id: str
    enabled: bool
    created_at: float


class AzureSchedules(Schedules):
    """A job schedule each, whose job is the pipeline's component. Nothing is submitted before it is due."""

    reasons = LACKS

    def __init__(self, context: Context, pipelines: AzurePipelines, data: DataAssets) -> None:
        self._context, self._pipelines, self._data = context, pipelines, data
        pipelines.when_default_changes(self._follow)

    def create(self, spec: ScheduleSpec) -> Schedule:
        spec, pipeline = self._checked(spec)
        if self._document(spec.name) is not None:
            raise Conflict(f"There is a schedule '{spec.name}' already", hint="Update it, or choose another name")
        try:
            self._put(Held(spec, str(uuid.uuid4()), True, self._context.clock()), pipeline)
        except Conflict:
            raise  # it is another's by now
        except SlipwayError:
            self._take_back(spec.name)
            raise
        return self.get(spec.name)

    def _take_back(self, name: str) -> None:
        """Remove a schedule that was half made. What went wrong before is told, not what goes wrong here."""
        try:
            if self._document(name) is not None:
                with self._context.asking() as client:
                    client.schedules.begin_disable(asset_name(name)).result()
                    client.schedules.begin_delete(asset_name(name)).result()
        except SlipwayError as e:
            log.warning("Schedule '%s' was half made and cannot be removed now: %s", name, e.message)

    def update(self, spec: ScheduleSpec) -> Schedule:
        held = self._held(spec.name)
        spec, pipeline = self._checked(spec)
        self._put(replace(held, spec=spec), pipeline)
        return self.get(spec.name)

    def list(self) -> tuple[Schedule, ...]:
        found = list(self._all())
        listed = runs(self._context) if found else []
        return tuple(self._schedule(held, listed) for held in sorted(found, key=lambda held: held.spec.name))

    def get(self, name: str) -> Schedule:
        held = self._held(name)
        return self._schedule(held, runs(self._context))

    def enable(self, name: str, enabled: bool) -> Schedule:
        held = self._held(name)
        pipeline = self._pipelines.get(held.spec.pipeline, held.spec.version)
        self._put(replace(held, enabled=enabled), pipeline)
        return self.get(name)

    def delete(self, name: str) -> None:
        """Azure deletes none that is on."""
        held = self._held(name)
        with self._context.asking() as client:
            if held.enabled:
                client.schedules.begin_disable(asset_name(name)).result()
            client.schedules.begin_delete(asset_name(name)).result()

    def run_now(self, name: str) -> PipelineRun:
        held = self._held(name)
        spec = held.spec
        pipeline = self._pipelines.get(spec.pipeline, spec.version)
        values = triggering.checked(pipeline, spec.experiment_name, spec.parameters)
        known_by = self._tags(held, pipeline) | {NOW: "true"}
        run_id = triggering.start(self._context, pipeline, spec.experiment_name, values, known_by)
        return self._pipelines.get_run(run_id)

    def fires(self, name: str, limit: int = 50) -> tuple[Fire, ...]:
        held = self._held(name)
        check_limit(limit)
        return _fires(held, runs(self._context))[:limit]

    def _checked(self, spec: ScheduleSpec) -> tuple[ScheduleSpec, PipelineEndpoint]:
        """A schedule that can be, its pipeline by name. Raises PipelineNotFound, DataNotFound, SpecInvalid."""
        pipeline = self._pipelines.get(spec.pipeline, spec.version)
        pinned = pipeline.version if spec.version or words.parted(spec.pipeline)[1] else 0
        spec = replace(spec, pipeline=pipeline.name, version=pinned)
        if spec.data:
            self._data.get(DataRef(spec.data))
        check_schedule(spec, self._context.clock())
        triggers.check(spec)
        triggering.checked(replace(pipeline, enabled=True), spec.experiment_name, spec.parameters)
        return spec, pipeline

    def _put(self, held: Held, pipeline: PipelineEndpoint) -> None:
        """The job is made anew each time: Azure refuses to change one that has the id of a run."""
        entities, spec = sdk.module("azure.ai.ml.entities"), held.spec
        values = triggering.checked(replace(pipeline, enabled=True), spec.experiment_name, spec.parameters)
        given = words.inputs(pipeline.spec.parameters)
        endpoint = words.endpoint_of(self._context.target.path, pipeline.name)
        component = f"{self._context.target.path}/components/{words.component_of(endpoint)}/versions/{pipeline.version}"
        job = entities.PipelineJob(
            component=component,
            inputs={given[name]: words.as_text(value) for name, value in values.items()},
            experiment_name=spec.experiment_name,
            tags=self._tags(held, pipeline),
            properties=kept(words.VALUES, values),
            settings=entities.PipelineJobSettings(
                default_compute=self._context.settings.azure_compute, force_rerun=True, continue_on_step_failure=True
            ),
        )
        wanted = entities.JobSchedule(
            name=asset_name(spec.name),
            display_name=spec.name,
            trigger=triggers.trigger(spec, held.created_at),
            create_job=job,
            tags=words.made(**{words.NAME: pipeline.name}),
            properties={NUMBER: held.id, **kept(SPEC, spec)},
            is_enabled=held.enabled,
        )
        with self._context.asking("pipeline", spec.name) as client:
            client.schedules.begin_create_or_update(wanted).result()

    def _tags(self, held: Held, pipeline: PipelineEndpoint) -> dict[str, str]:
        known_by = triggering.tags(pipeline, RunOrigin.SCHEDULE, schedule=held.spec.name)
        return known_by | {NUMBER: held.id, words.OVERLAP: held.spec.overlap.value}

    def _follow(self, pipeline: PipelineEndpoint) -> None:
        """Schedules that name no version run the new default from now on."""
        for held in self._all():
            if held.spec.pipeline == pipeline.name and not held.spec.version:
                self._put(held, pipeline)

    def _all(self) -> Iterator[Held]:
        for document in ask_all(self._context, f"{self._context.target.path}/schedules", API):
            if held := _read(document):
                yield held

    def _found(self, name: str) -> Held | None:
        document = self._document(name)
        return _read(document) if document is not None else None

    def _document(self, name: str) -> Mapping[str, Any] | None:
        """What Azure has under this name, whoever made it."""
        return find(self._context, f"{self._context.target.path}/schedules/{asset_name(name)}", API)

    def _held(self, name: str) -> Held:
        if (held := self._found(name)) is None:
            raise PipelineNotFound(f"There is no schedule '{name}'", hint="'schedule list' has those there are")
        return held

    def _schedule(self, held: Held, listed: Sequence[RunDocument]) -> Schedule:
        last = _fires(held, listed)[:1]
        now = self._context.clock()
        return Schedule(
            held.spec,
            held.enabled,
            next_fires(held.spec, now, SHOWN_FIRES, since=held.created_at) if held.enabled else (),
            last[0].run_id if last else "",
            schedule_words(held.spec),
            held.created_at,
            last[0] if last else None,
        )


def _read(document: Mapping[str, Any]) -> Held | None:
    """None for a schedule of somebody else."""
    about = document.get("properties") or {}
    inner = about.get("properties") or {}
    spec = found(SPEC, inner, ScheduleSpec)
    if spec is None:
        return None
    created = moment((document.get("systemData") or {}).get("createdAt"))
    return Held(spec, str(inner.get(NUMBER, "")), about.get("isEnabled") is not False, created)


def _fires(held: Held, listed: Sequence[RunDocument]) -> tuple[Fire, ...]:
    """What became of its fires, newest first: a run that has its id was started by it, or by somebody for it."""
    return tuple(_fire(held, run) for run in listed if run.tags.get(NUMBER) == held.id)


def _fire(held: Held, run: RunDocument) -> Fire:
    asked = NOW in run.tags
    key = f"now:{run.id}" if asked else str(run.created_at)
    message = "Somebody asked for it" if asked else ""
    return Fire(held.spec.name, key, run.created_at, FireOutcome.STARTED, run.created_at, run.id, message)
