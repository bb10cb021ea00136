"""Triggers of schedules: Azure's recurrences and cron expressions as the fire times that `core.definitions` finds.

Zones may have Windows names, as Azure's own do, or IANA names; Unicode's table tells one from the other (it comes with
tzlocal). Times without an offset are times of the zone.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from core.definitions.fires import check_schedule, next_fires
from core.domain.errors import SpecInvalid
from core.domain.schedule import Frequency, Recurrence, ScheduleSpec
from core.emulator.jobs.refusals import user_error
from core.emulator.messages import Document

ZONES = {name.lower(): zone for name, zone in win_tz.items()}
KINDS = {"recurrence": "Recurrence", "cron": "Cron"}


def shown(given: Mapping[str, Any]) -> Document:
    """A trigger as Azure shows it. Raises AzureError 400 for one that can never be."""
    kind = KINDS.get(str(given.get("triggerType", "")).lower())
    if kind is None:
        raise user_error(f"trigger: a schedule has a trigger of the type {' or '.join(KINDS.values())}.")
    found: Document = {
        "endTime": given.get("endTime"),
        "startTime": given.get("startTime"),
        "timeZone": given.get("timeZone") or "UTC",
        "triggerType": kind,
    }
    if kind == "Cron":
        return found | {"expression": given.get("expression")}
    sent = given.get("schedule")
    pattern = sent and {
        "hours": sent.get("hours"),
        "minutes": sent.get("minutes"),
        "weekDays": [str(day).capitalize() for day in sent["weekDays"]] if sent.get("weekDays") else None,
        "monthDays": sent.get("monthDays"),
    }
    frequency = str(given.get("frequency", "")).capitalize()
    return found | {"frequency": frequency, "interval": given.get("interval"), "schedule": pattern}


def spec(trigger: Mapping[str, Any]) -> ScheduleSpec:
    """When a shown trigger fires. Raises AzureError 400."""
    zone = _zone(str(trigger["timeZone"]))
    try:
        return ScheduleSpec(
            name="trigger",
            pipeline="job",
            cron=str(trigger.get("expression") or ""),
            recurrence=_recurrence(trigger) if trigger["triggerType"] == "Recurrence" else None,
            timezone=zone,
            start=_local(trigger.get("startTime"), zone),
            end=_local(trigger.get("endTime"), zone),
        )
    except SpecInvalid as e:
        raise user_error(" ".join(filter(None, (f"trigger: {e.message}.", e.hint)))) from e


def check(trigger: Mapping[str, Any], now: float) -> None:
    """Raises AzureError 400 for a trigger that would never fire."""
    try:
        check_schedule(spec(trigger), now)
    except SpecInvalid as e:
        raise user_error(" ".join(filter(None, (f"trigger: {e.message}.", e.hint)))) from e


def following(trigger: Mapping[str, Any], after: float, since: float) -> float | None:
    """The first time after `after` at which a trigger fires."""
    found = next_fires(spec(trigger), after, since=since)
    return found[0] if found else None


def local_now(trigger: Mapping[str, Any], now: float) -> str:
    """What the clock of a trigger's zone shows: the start of one that has none."""
    return f"{datetime.fromtimestamp(now, ZoneInfo(_zone(str(trigger['timeZone'])))):%Y-%m-%dT%H:%M:%S}"


def _recurrence(trigger: Mapping[str, Any]) -> Recurrence:
    try:
        frequency = Frequency(str(trigger["frequency"]).lower())
    except ValueError as e:
        units = ", ".join(unit.capitalize() for unit in Frequency)
        raise user_error(f"trigger: there is no frequency '{trigger['frequency']}'. There are {units}.") from e
    pattern = trigger.get("schedule") or {}
    if frequency in (Frequency.MINUTE, Frequency.HOUR):
        pattern = {}  # Azure takes a pattern here, and does not look at it
    return Recurrence(
        frequency=frequency,
        interval=trigger.get("interval") or 1,
        hours=tuple(pattern.get("hours") or ()),
        minutes=tuple(pattern.get("minutes") or ()),
        week_days=tuple(str(day).lower() for day in pattern.get("weekDays") or ()),
        month_days=tuple(pattern.get("monthDays") or ()),
    )


def _zone(name: str) -> str:
    found = ZONES.get(name.lower(), name)
    try:
        ZoneInfo(found)
    except (ValueError, OSError, KeyError) as e:
        raise user_error(f"trigger: there is no time zone '{name}'.") from e
    return found


def _local(text: Any, zone: str) -> str:
    """A time as the clock of the zone shows it; one with an offset is put there."""
    if not text:
        return ""
    try:
        at = datetime.fromisoformat(str(text).strip())
    except ValueError as e:
        raise user_error(f"trigger: '{text}' is no time; Azure writes 2026-12-01T06:00:00.") from e
    return (at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if at.tzinfo else at).isoformat()
