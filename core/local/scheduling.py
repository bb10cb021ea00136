"""A schedule's run, whoever asks for it: the scheduler or a person; and whether it can be at all."""

from dataclasses import replace

from core.definitions.due import parameters
from core.definitions.fires import check_schedule
from core.domain.data import DataRef
from core.domain.errors import SpecInvalid
from core.domain.names import reference
from core.domain.run import RunOrigin
from core.domain.schedule import ScheduleSpec
from core.local.context import Context
from core.local.store import Nouns
from core.local.store.schedules import StoredSchedule
from core.local.triggering import checked_run, queue_run


def checked(context: Context, spec: ScheduleSpec) -> tuple[ScheduleSpec, int]:
    """A schedule that can be, its pipeline by name, and the newest version of the data that it waits for.

    Raises PipelineNotFound, DataNotFound, SpecInvalid, SourceUnreadable for a path that a confined caller may not read.
    """
    found = context.store.pipelines.get(spec.pipeline, version=spec.version)
    pinned = found.version if spec.version or spec.pipeline == found.id else 0
    spec = replace(spec, pipeline=found.name, version=pinned)
    version = 0
    if spec.data:
        if reference(spec.data) != (spec.data, 0):
            raise SpecInvalid(f"A schedule waits for any version of a data asset, got '{spec.data}'")
        version = context.store.data.get(DataRef(spec.data)).version
    check_schedule(spec, context.clock())
    # A disabled pipeline may be scheduled: somebody enables it in time, or the fire says that it is disabled.
    given = parameters(spec, version)
    checked_run(context, replace(found, enabled=True), spec.experiment_name, given, origin=RunOrigin.SCHEDULE)
    return spec, version


def queue_scheduled(context: Context, tx: Nouns, stored: StoredSchedule, version: int, origin: RunOrigin) -> str:
    """Queue the schedule's run, inside a transaction; its id. Raises as `pipelines.trigger`."""
    spec = stored.spec
    found = tx.pipelines.get(spec.pipeline, version=spec.version)
    job = checked_run(
        context,
        found,
        spec.experiment_name,
        parameters(spec, version),
        origin=origin,
        schedule=spec.name,
        confined=stored.confined,
    )
    queue_run(tx, job, found, context.settings.runs_max_queued, {})
    return job.id
