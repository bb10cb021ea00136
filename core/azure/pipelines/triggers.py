"""When a schedule fires, as Azure ML's triggers: cron or recurrence, in a time zone by its Windows name."""

from typing import Any

from tzlocal.windows_tz import tz_win

from core.azure import sdk
from core.definitions.crontab import cron_fields
from core.definitions.fires import first_time
from core.definitions.recurrence import filled
from core.definitions.zones import wall_at, zone_of
from core.domain.errors import NotSupported, SpecInvalid
from core.domain.schedule import Frequency, Misfire, Overlap, Recurrence, ScheduleSpec

WITH_TIMES = (Frequency.DAY, Frequency.WEEK, Frequency.MONTH)


def check(spec: ScheduleSpec) -> None:
    """Raise NotSupported for what Azure's schedules lack, SpecInvalid for what they would not do as it stands."""
    if spec.misfire is not Misfire.ONCE:
        raise NotSupported(
            "Azure has no misfire policy: its schedules fire when they are due",
            hint="Leave misfire out, or schedule with --workspace local",
        )
    if spec.overlap is Overlap.QUEUE:
        raise NotSupported(
            "Azure's schedules do not wait for the run before", hint="overlap: skip or allow; a cluster queues jobs"
        )
    if spec.data:
        raise NotSupported(
            "Azure ML starts nothing by itself when data changes",
            hint="Use cron or a recurrence; 'prepare' finds out whether the table is new",
        )
    if spec.cron:
        _, _, day, month, _ = cron_fields(spec.cron)
        if (day, month) != ("*", "*"):
            raise SpecInvalid(
                "Azure reads the days and months of a cron expression as *, whatever they say",
                hint="Use a recurrence by the month for days of a month",
            )
    windows_zone(spec.timezone)


def windows_zone(name: str) -> str:
    """The Windows name of an IANA time zone. Raises SpecInvalid for one that Azure does not know."""
    zone_of(name)
    found = tz_win.get(name, "")
    known = {zone.value for zone in sdk.module("azure.ai.ml.constants").TimeZone}
    if found not in known:
        raise SpecInvalid(f"Azure does not know the time zone '{name}'", hint="Use a city of the same time, or UTC")
    return str(found)


def trigger(spec: ScheduleSpec, made_at: float) -> Any:
    """The SDK's trigger. A recurrence without a start counts from the day on which it was made."""
    entities = sdk.module("azure.ai.ml.entities")
    begin = first_time(spec)
    common = {"time_zone": windows_zone(spec.timezone), "start_time": begin.isoformat() if begin else None}
    if spec.end:
        common["end_time"] = spec.end if "T" in spec.end else f"{spec.end.strip()}T23:59:59"
    if spec.cron:
        return entities.CronTrigger(expression=_cron(spec.cron), **common)
    assert spec.recurrence is not None
    today = wall_at(zone_of(spec.timezone), made_at).replace(hour=0, minute=0, second=0, microsecond=0)
    common["start_time"] = (begin or today).isoformat()
    pattern = _pattern(filled(spec.recurrence, begin or today)) if spec.recurrence.frequency in WITH_TIMES else None
    return entities.RecurrenceTrigger(
        frequency=spec.recurrence.frequency.value, interval=spec.recurrence.interval, schedule=pattern, **common
    )


def _pattern(recurrence: Recurrence) -> Any:
    return sdk.module("azure.ai.ml.entities").RecurrencePattern(
        hours=list(recurrence.hours),
        minutes=list(recurrence.minutes),
        week_days=list(recurrence.week_days) or None,
        month_days=list(recurrence.month_days) or None,
    )


def _cron(cron: str) -> str:
    """Azure knows Sunday as 0 alone."""
    minute, hour, day, month, week_day = cron_fields(cron)
    return " ".join((minute, hour, day, month, "0" if week_day == "7" else week_day))
