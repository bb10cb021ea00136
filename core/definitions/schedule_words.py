"""When a schedule fires, as people say it: `every weekday at 06:00, Berlin time`.

What has no short wording is told field by field, so that the words are never wrong.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time

from core.definitions.crontab import MONTHS, WEEKDAYS, cron_fields, parse_cron
from core.definitions.fires import bounds, first_time
from core.definitions.recurrence import SECONDS, filled
from core.domain.schedule import WEEK_DAYS, Frequency, Recurrence, ScheduleSpec

TIMES_MAX = 6
"""More times of day, or days of a month, are no longer listed one by one."""
DAY_NAMES = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTH_NAMES = tuple(
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
WORK_DAYS, ALL_DAYS = frozenset(range(1, 6)), frozenset(range(7))
FIELD_NAMES = ("minute", "hour", "day of the month", "month", "weekday")


def schedule_words(spec: ScheduleSpec) -> str:
    """When a schedule fires, in a few words without a capital. Raises SpecInvalid for what is no schedule."""
    bounds(spec)
    if spec.recurrence is not None:
        words, local = _recurrence(spec, spec.recurrence)
    elif spec.cron:
        words, local = _cron(spec.cron)
    else:
        words, local = f"on each new version of {spec.data}", False
    start, end = (text.strip().replace("T", " ") for text in (spec.start, spec.end))
    if local or start or end:
        words += f", {_zone(spec.timezone)}"
    return words + (f", from {start}" if start else "") + (f", until {end}" if end else "")


def _zone(name: str) -> str:
    """`Europe/Berlin` -> `Berlin time`; an abbreviation stays one, and so does `Etc/GMT+5`, west of UTC."""
    place = name.rpartition("/")[2].replace("_", " ")
    if place == place.upper():
        return place if place.isalpha() else name
    return f"{place} time"


def _cron(cron: str) -> tuple[str, bool]:
    """An expression in words, and whether the time zone matters to them."""
    parse_cron(cron)
    minute, hour, day, month, weekday = cron_fields(cron)
    minutes, hours = _values(minute, 0, 59), _values(hour, 0, 23)
    times, listed = _times(minutes, hours)
    days = _days(day, month, weekday)
    if not times or not days:
        return _by_field(cron), True
    if listed:
        return f"{days} {times}", True
    if days != "every day":
        return f"{days}, {times}", True
    return times, len(hours) < 24 or len(minutes) == 1 or not times.startswith("every ")


def _values(field: str, low: int, high: int, names: Sequence[str] = (), first: int = 0) -> tuple[int, ...]:
    """All numbers that a field of a valid expression names, in order."""
    found: set[int] = set()
    numbers = {name: number for number, name in enumerate(names, first)}
    for part in field.split(","):
        span, _, step = part.partition("/")
        begin, _, end = span.partition("-")
        if begin == "*":
            begin, end = str(low), str(high)
        start = numbers[begin] if begin in numbers else int(begin)
        stop = (numbers[end] if end in numbers else int(end)) if end else (high if step else start)
        found.update(range(start, (7 if stop < start else stop) + 1, int(step or 1)))  # sat-sun
    return tuple(sorted(found))


def _times(minutes: Sequence[int], hours: Sequence[int]) -> tuple[str, bool]:
    """Times of day in words, empty where there are none short enough; and whether they are listed one by one."""
    if len(minutes) * len(hours) <= TIMES_MAX:
        return f"at {_and([f'{h:02}:{m:02}' for h in hours for m in minutes])}", True
    every = _every(minutes)
    if len(hours) == 24:
        return every or _past(minutes), False
    step = hours[1] - hours[0] if len(hours) > 1 else 1
    if tuple(hours) != tuple(range(hours[0], hours[-1] + 1, step)):
        return "", False
    span = f"from {hours[0]:02}:{minutes[0]:02} to {hours[-1]:02}:{minutes[-1]:02}"
    if len(minutes) == 1:
        return f"{'every hour' if step == 1 else f'every {step} hours'} {span}", False
    return (f"{every} {span}" if every and step == 1 else ""), False


def _every(minutes: Sequence[int]) -> str:
    """Minutes that lie evenly in the hour, from its beginning."""
    step = 60 // len(minutes)
    if tuple(minutes) != tuple(range(0, 60, step)):
        return ""
    return {1: "every minute", 60: "every hour"}.get(step, f"every {step} minutes")


def _past(minutes: Sequence[int]) -> str:
    if len(minutes) > TIMES_MAX:
        return ""
    return f"at {_and([str(m) for m in minutes])} minute{'' if tuple(minutes) == (1,) else 's'} past every hour"


def _days(day: str, month: str, weekday: str) -> str:
    """The days in words; empty where there are none short enough."""
    months = _and([MONTH_NAMES[m - 1] for m in _values(month, 1, 12, MONTHS, 1)]) if month != "*" else ""
    if day == "*":
        days = ALL_DAYS if weekday == "*" else {number % 7 for number in _values(weekday, 0, 6, WEEKDAYS)}
        return f"every {_week_days(days)}{f' in {months}' if months else ''}"
    numbers = _values(day, 1, 31)
    if len(numbers) > TIMES_MAX or weekday != "*":
        return ""
    return f"on the {_nths(numbers)} of {months or 'every month'}"


def _week_days(days: Collection[int]) -> str:
    """Days of the week, 0 being Sunday, behind `every`."""
    if frozenset(days) in (WORK_DAYS, ALL_DAYS):
        return "weekday" if frozenset(days) == WORK_DAYS else "day"
    return _day_names(days)


def _day_names(days: Collection[int]) -> str:
    return _and([DAY_NAMES[day] for day in sorted(days, key=lambda day: (day - 1) % 7)])


def _by_field(cron: str) -> str:
    fields = dict(zip(FIELD_NAMES, cron_fields(cron), strict=True))
    day, weekday = fields["day of the month"], fields["weekday"]
    either = "*" not in day[0] + weekday[0]  # cron takes either of both then
    said = [
        f"the {name} is {text}"
        for name, text in fields.items()
        if text != "*" and not (either and name in ("day of the month", "weekday"))
    ]
    if either:
        said.append(f"either the day of the month is {day} or the weekday is {weekday}")
    return f"when {_and(said)}"


def _recurrence(spec: ScheduleSpec, recurrence: Recurrence) -> tuple[str, bool]:
    """A recurrence in words, and whether the time zone matters to them."""
    unit, interval = recurrence.frequency, recurrence.interval
    every = f"every {unit}" if interval == 1 else f"every {interval} {unit}s"
    if unit in SECONDS:
        return every, False
    found = filled(recurrence, first_time(spec) or datetime.combine(date.min, time.min))
    days = _recurring_days(found, every)
    times, listed = _times(sorted(set(found.minutes)), sorted(set(found.hours)))
    if not times:
        hours, minutes = (_and([str(n) for n in sorted(set(numbers))]) for numbers in (found.hours, found.minutes))
        times = f"whenever the hour is {hours} and the minute is {minutes}"
    return f"{days}{' ' if listed else ', '}{times}", True


def _recurring_days(found: Recurrence, every: str) -> str:
    if found.frequency is Frequency.WEEK:
        days = {(WEEK_DAYS.index(day) + 1) % 7 for day in found.week_days}
        return f"every {_week_days(days)}" if found.interval == 1 else f"{every} on {_day_names(days)}"
    if found.frequency is Frequency.MONTH:
        days_of_month = _nths(sorted(set(found.month_days)))
        return f"on the {days_of_month} of every month" if found.interval == 1 else f"{every} on the {days_of_month}"
    return every


def _nths(numbers: Sequence[int]) -> str:
    return _and([f"{n}{'th' if 10 < n < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}" for n in numbers])


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
