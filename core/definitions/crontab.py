"""Crontab expressions, as crontab(5) reads them: which times of the clock on the wall they name.

APScheduler's trigger finds the times, on a clock that is never put forward or back (UTC stands for it): its known
faults concern daylight saving time, which `core.definitions.fires` adds. Where it reads an expression otherwise than
crontab(5), the fields are put into its words here: its weekday 0 is Monday, it ignores the step of named months, and a
day of the month together with a weekday means both to it where cron means either.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

from core.domain.errors import SpecInvalid

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
HINT = "Five fields: minute, hour, day of the month, month, weekday; for example '0 6 * * mon-fri'"
PLAIN = re.compile(r"[\d*,/-]+")
FAR = timedelta(days=366 * 9)
"""29 February is at most eight years away."""
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Crontab:
    """The times on the wall that an expression names."""

    follows_the_clock: bool
    """An asterisk in minute or hour: it fires whenever the clock shows such a time. One without fires once a time."""
    _triggers: Sequence[CronTrigger]

    def next(self, after: datetime) -> datetime | None:
        """The first time on the wall after this one; None where there is none within nine years."""
        begin = (after.replace(second=0, microsecond=0) + MINUTE).replace(tzinfo=UTC)
        found = []
        for trigger in self._triggers:
            trigger.end_date = begin + FAR  # else it would look for 30 February until the year 9999
            found.append(trigger.get_next_fire_time(None, begin))
        times = [time.replace(tzinfo=None) for time in found if time is not None]
        return min(times, default=None)


def parse_cron(cron: str) -> Crontab:
    """What five fields mean. Raises SpecInvalid for an expression that cron would refuse."""
    minute, hour, day, month, weekday = cron_fields(cron)
    try:
        for field in (minute, hour, day):
            if not PLAIN.fullmatch(field):
                raise ValueError(f"'{field}' is not a number, a range, a list or an asterisk")
        months = ",".join(_named(part, MONTHS, 1) for part in month.split(","))
        weekdays = ",".join(_weekdays(part) for part in weekday.split(","))
        both = "*" in (day[0], weekday[0])
        days = [(day, weekdays)] if both else [(day, "*"), ("*", weekdays)]
        triggers = [
            CronTrigger(minute=minute, hour=hour, day=d, month=months, day_of_week=w, timezone=UTC) for d, w in days
        ]
    except ValueError as e:
        raise SpecInvalid(f"'{cron}' is not a cron expression: {e}", hint=HINT) from e
    return Crontab("*" in minute + hour, triggers)


def cron_fields(cron: str) -> tuple[str, str, str, str, str]:
    """Minute, hour, day of the month, month, weekday. Raises SpecInvalid for more or fewer."""
    fields = cron.lower().split()
    if len(fields) != 5:
        raise SpecInvalid(f"'{cron}' has {len(fields)} fields, expected 5", hint=HINT)
    minute, hour, day, month, weekday = fields
    return minute, hour, day, month, weekday


def _named(part: str, names: Sequence[str], first: int) -> str:
    """One part of a field with numbers for names: `jan-mar/2` -> `1-3/2`."""
    numbers = {name: str(number) for number, name in enumerate(names, first)}
    plain = re.sub(r"[a-z]+", lambda word: numbers.get(word[0], word[0]), part)
    if not PLAIN.fullmatch(plain):
        raise ValueError(f"there is no month '{part}'")
    return plain


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
