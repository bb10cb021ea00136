"""Schedules: what they do, and what became of their fires. The service lets them fire."""

from core.definitions.fires import next_fires
from core.definitions.schedule_words import schedule_words
from core.domain.rules import check_limit
from core.domain.run import PipelineRun, RunOrigin
from core.domain.schedule import Fire, FireOutcome, Schedule, ScheduleSpec
from core.local.context import Context
from core.local.scheduling import checked, queue_scheduled
from core.local.store.schedules import StoredSchedule
from core.workspace.pipelines import Pipelines
from core.workspace.schedules import Schedules

SHOWN_FIRES = 5


class LocalSchedules(Schedules):
    """Schedules in the store."""

    def __init__(self, context: Context, pipelines: Pipelines) -> None:
        self._context, self._pipelines = context, pipelines

    def create(self, spec: ScheduleSpec) -> Schedule:
        context = self._context
        spec, version = checked(context, spec)
        context.store.schedules.add(spec, context.clock(), version, confined=context.confined)
        return self.get(spec.name)

    def update(self, spec: ScheduleSpec) -> Schedule:
        context = self._context
        context.store.schedules.get(spec.name)
        spec, version = checked(context, spec)
        context.store.schedules.put(spec, context.clock(), version, confined=context.confined)
        return self.get(spec.name)

    def list(self) -> tuple[Schedule, ...]:
        return tuple(map(self._schedule, self._context.store.schedules.all()))

    def get(self, name: str) -> Schedule:
        return self._schedule(self._context.store.schedules.get(name))

    def enable(self, name: str, enabled: bool) -> Schedule:
        kept, now = self._context.store.schedules, self._context.clock()
        stored = kept.get(name)
        if enabled:
            kept.enable(name, now, kept.newest_version(stored.spec.data))
        else:
            kept.disable(name, now)
        return self.get(name)

    def delete(self, name: str) -> None:
        if name not in self._context.store.schedules.names():
            self._context.store.schedules.get(name)
        self._context.store.schedules.delete(name)

    def run_now(self, name: str) -> PipelineRun:
        context, now = self._context, self._context.clock()
        with context.store.write() as tx:
            stored = tx.schedules.get(name)
            version = tx.schedules.newest_version(stored.spec.data)
            run_id = queue_scheduled(context, tx, stored, version, RunOrigin.SCHEDULE)
            message = "Somebody asked for it"
            tx.schedules.record(Fire(name, f"now:{run_id}", now, FireOutcome.STARTED, now, run_id, message))
        return self._pipelines.get_run(run_id)

    def fires(self, name: str, limit: int = 50) -> tuple[Fire, ...]:
        self._context.store.schedules.get(name)
        return self._context.store.schedules.fires(name, check_limit(limit))

    def _schedule(self, stored: StoredSchedule) -> Schedule:
        spec, kept = stored.spec, self._context.store.schedules
        now = self._context.clock()
        last = kept.fires(spec.name, 1)
        return Schedule(
            spec,
            stored.enabled,
            next_fires(spec, now, SHOWN_FIRES, since=stored.created_at) if stored.enabled else (),
            kept.last_run(spec.name),
            schedule_words(spec),
            stored.created_at,
            last[0] if last else None,
        )
