"""When a schedule fires: crontab expressions as cron itself reads them, in a time zone.

Fire times come from APScheduler's triggers. Two readings of theirs differ from crontab(5) and are undone here: their
weekday 0 is Monday, and a day of the month together with a weekday means both where cron means either.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from core.domain.errors import SpecInvalid

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
HINT = "Five fields: minute, hour, day of the month, month, weekday; for example '0 6 * * mon-fri'"


def next_fires(cron: str, timezone: str, after: float, count: int = 1) -> tuple[float, ...]:
    """The next `count` fire times strictly after `after`, in seconds since the epoch; fewer when there are no more.

    Raises SpecInvalid for an expression that cron would refuse, or an unknown time zone.
    """
    trigger = _trigger(cron, timezone)
    fires: list[float] = []
    now = datetime.fromtimestamp(after, UTC)
    while len(fires) < count:
        # A trigger gives the first fire at or after `now`; the step makes it strictly after.
        fire = trigger.get_next_fire_time(None, now + timedelta(microseconds=1))
        if fire is None:
            break
        fires.append(fire.timestamp())
        now = fire
    return tuple(fires)


def _trigger(cron: str, timezone: str) -> BaseTrigger:
    fields = cron.lower().split()
    if len(fields) != 5:
        raise SpecInvalid(f"'{cron}' has {len(fields)} fields, expected 5", hint=HINT)
    minute, hour, day, month, weekday = fields
    zone = _zone(timezone)
    try:
        weekday = ",".join(_weekdays(part) for part in weekday.split(","))
        days = [(day, weekday)] if "*" in (day[0], weekday[0]) else [(day, "*"), ("*", weekday)]
        triggers = [
            CronTrigger(minute=minute, hour=hour, day=d, month=month, day_of_week=w, timezone=zone) for d, w in days
        ]
    except ValueError as e:
        raise SpecInvalid(f"'{cron}' is not a cron expression: {e}", hint=HINT) from e
    return triggers[0] if len(triggers) == 1 else OrTrigger(triggers)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as e:  # OSError: a folder of the database, such as Europe
        raise SpecInvalid(f"There is no time zone '{name}'", hint="An IANA name, e.g. Europe/Berlin") from e


def _weekdays(part: str) -> str:
    """One part of the weekday field by names: `1-5/2` -> `mon,wed,fri`; `5-7` -> `fri,sat,sun`."""
    span, _, step = part.partition("/")
    if span == "*":
        return part if not step else ",".join(WEEKDAYS[:: _positive(step)])
    first, _, last = span.partition("-")
    low, high = _weekday(first), _weekday(last or ("sat" if step else first))
    if high < low and high == 0:
        high = 7
    if high < low:
        raise ValueError(f"the weekdays '{part}' are in reverse order")
    return ",".join(WEEKDAYS[day % 7] for day in range(low, high + 1, _positive(step or "1")))


def _weekday(text: str) -> int:
    if text in WEEKDAYS:
        return WEEKDAYS.index(text)
    if text.isdecimal() and int(text) <= 7:
        return int(text)
    raise ValueError(f"there is no weekday '{text}'")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise ValueError(f"a step of '{text}'")
    return int(text)
