"""When a schedule fires, in its time zone and through its daylight saving time.

As cron(8) has it: what names a time of day (`0 6 * * *`, and every recurrence of days, weeks or months) fires once for
each time that it names. Where the clock is put forward over that time, it fires when the clock jumps; where the clock
shows it twice, it fires the first time. A cron expression with an asterisk in minute or hour (`*/15 * * * *`) fires
whenever the clock shows such a time: not in the hour that is left out, and all through the hour that comes twice. A
recurrence of minutes or hours counts the time that passes, whatever the clock does.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from core.definitions.crontab import parse_cron
from core.definitions.recurrence import JUST_BEFORE, SECONDS, calendar
from core.definitions.zones import moment, moment_with, next_change, offset_at, wall_at, zone_of
from core.domain.errors import SpecInvalid
from core.domain.schedule import ScheduleSpec

TIME_HINT = "A local time of the schedule's time zone, for example 2026-12-01T06:00"
END_OF_DAY = timedelta(days=1, microseconds=-1)

NextTime = Callable[[datetime], datetime | None]


def next_fires(spec: ScheduleSpec, after: float, count: int = 1, *, since: float | None = None) -> tuple[float, ...]:
    """The next `count` fire times strictly after `after`, in seconds since the epoch; fewer when there are no more.

    `since` is the moment from whose day on a recurrence without a start counts; `after` where it is not given. Raises
    SpecInvalid for what can never be a schedule.
    """
    return tuple(islice(fires(spec, after, since=since), count))


def fires(spec: ScheduleSpec, after: float, *, since: float | None = None) -> Iterator[float]:
    """All fire times strictly after `after`, in order, one after the other as they are asked for. Raises as above."""
    zone = zone_of(spec.timezone)
    begin, end = bounds(spec)
    today = wall_at(zone, after if since is None else since).replace(hour=0, minute=0, second=0, microsecond=0)
    found = _unbounded(spec, zone, max(after, begin - 1.0), first_time(spec) or today)
    return takewhile(lambda at: at <= end, found)


def latest_fires(spec: ScheduleSpec, after: float, until: float, count: int, *, since: float) -> tuple[float, ...]:
    """The latest `count` fire times after `after` and not after `until`, found from the end: years may lie between."""
    span = 60.0
    while True:
        begin = max(after, until - span)
        found = deque(takewhile(lambda at: at <= until, fires(spec, begin, since=since)), count)
        if len(found) == count or begin <= after:
            return tuple(found)
        span *= 4


def check_schedule(spec: ScheduleSpec, now: float) -> None:
    """Raise SpecInvalid where a schedule cannot be, or would never fire from `now` on."""
    begin, end = bounds(spec)
    if end < begin:
        raise SpecInvalid(f"The schedule ends at {spec.end}, before it starts at {spec.start}")
    if end < now:
        raise SpecInvalid(f"The schedule's end, {spec.end}, has passed: it would never fire")
    if not spec.data and not next_fires(spec, now):
        until = f" between its start and its end, {spec.end}" if spec.end else ""
        raise SpecInvalid(f"The schedule never fires: no day or time fits it{until}")


def bounds(spec: ScheduleSpec) -> tuple[float, float]:
    """The first and the last moment at which a schedule may fire. Raises SpecInvalid for what is not a time."""
    zone = zone_of(spec.timezone)
    begin = moment(zone, _local(spec.start, "start")) if spec.start else -math.inf
    if not spec.end:
        return begin, math.inf
    end = _local(spec.end, "end")
    if len(spec.end.strip()) <= len("2026-12-01"):
        end += END_OF_DAY
    return begin, moment(zone, end, last=True)


def _local(text: str, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as e:
        raise SpecInvalid(f"The schedule's {name} is '{text}', expected a date with a time", hint=TIME_HINT) from e
    if at.tzinfo is not None:
        raise SpecInvalid(f"The schedule's {name} is '{text}', expected a time without an offset", hint=TIME_HINT)
    if not 1970 < at.year < 3000:
        raise SpecInvalid(f"The schedule's {name} is '{text}', expected a year from 1971 to 2999", hint=TIME_HINT)
    return at


def first_time(spec: ScheduleSpec) -> datetime | None:
    """The local time at which a schedule starts; None where it has no start."""
    return _local(spec.start, "start") if spec.start else None


def _unbounded(spec: ScheduleSpec, zone: ZoneInfo, after: float, start: datetime) -> Iterator[float]:
    if spec.cron:
        times = parse_cron(spec.cron)
        return (_as_the_clock_shows if times.follows_the_clock else _once_each)(times.next, zone, after)
    if spec.recurrence is None:
        return iter(())
    if (seconds := SECONDS.get(spec.recurrence.frequency)) is not None:
        return _as_time_passes(moment(zone, start), seconds * spec.recurrence.interval, after)
    return _once_each(calendar(spec.recurrence, start).next, zone, after)


def _once_each(following: NextTime, zone: ZoneInfo, after: float) -> Iterator[float]:
    wall: datetime | None = wall_at(zone, after)
    while wall is not None and (wall := following(wall)) is not None:
        if (at := moment(zone, wall)) > after:
            yield at
            after = at


def _as_the_clock_shows(following: NextTime, zone: ZoneInfo, after: float) -> Iterator[float]:
    wall = wall_at(zone, after)
    while (found := following(wall)) is not None:
        at = moment_with(found, offset_at(zone, after))
        if (change := next_change(zone, after, at)) is None:
            yield at
            after, wall = at, found
        else:
            after, wall = change, wall_at(zone, change) - JUST_BEFORE


def _as_time_passes(start: float, step_s: float, after: float) -> Iterator[float]:
    number = max(0, math.floor((after - start) / step_s) + 1)
    while True:
        yield start + number * step_s
        number += 1
