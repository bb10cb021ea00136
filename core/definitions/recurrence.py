"""Recurrences: every so many minutes, hours, days, weeks or months, counted from a start.

Minutes and hours are counted in time that passes, all others on the calendar. Which times of the calendar a recurrence
names is a cron expression's business; here only the days, weeks or months between are left out.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from core.definitions.crontab import Crontab, parse_cron
from core.domain.schedule import WEEK_DAYS, Frequency, Recurrence

JUST_BEFORE = timedelta(microseconds=1)
TRIES = 60
"""So many of its months in a row without a 29th, 30th or 31st, and it has none."""
YEAR_MAX = 9000
SECONDS = {Frequency.MINUTE: 60.0, Frequency.HOUR: 3600.0}


@dataclass(frozen=True, slots=True)
class Calendar:
    """The times on the wall that a recurrence of days, weeks or months names."""

    _frequency: Frequency
    _interval: int
    _start: datetime
    _times: Crontab

    def next(self, after: datetime) -> datetime | None:
        """The first time on the wall after this one; None where there is none."""
        first = _number(self._frequency, self._start)
        for _ in range(TRIES):
            if (found := self._times.next(after)) is None:
                return None
            number = _number(self._frequency, found)
            if (beyond := (number - first) % self._interval) == 0:
                return found
            begin = _begin(self._frequency, number + self._interval - beyond)
            if begin is None:
                return None
            after = begin - JUST_BEFORE
        return None


def calendar(recurrence: Recurrence, start: datetime) -> Calendar:
    """The times on the wall of a recurrence of days, weeks or months that counts from `start`."""
    found = filled(recurrence, start)
    days = _listed(found.month_days) if found.frequency is Frequency.MONTH else "*"
    week_days = ",".join(day[:3] for day in found.week_days) if found.frequency is Frequency.WEEK else "*"
    times = parse_cron(f"{_listed(found.minutes)} {_listed(found.hours)} {days} * {week_days}")
    return Calendar(found.frequency, found.interval, start, times)


def filled(recurrence: Recurrence, start: datetime) -> Recurrence:
    """A recurrence of days, weeks or months with all that it leaves open, which is the start's."""
    return replace(
        recurrence,
        hours=recurrence.hours or (start.hour,),
        minutes=recurrence.minutes or ((0,) if recurrence.hours else (start.minute,)),
        week_days=recurrence.week_days
        or ((WEEK_DAYS[start.weekday()],) if recurrence.frequency is Frequency.WEEK else ()),
        month_days=recurrence.month_days or ((start.day,) if recurrence.frequency is Frequency.MONTH else ()),
    )


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def _number(frequency: Frequency, at: datetime) -> int:
    """Which day, week (they begin on Monday) or month it is, counted from the year 1."""
    if frequency is Frequency.MONTH:
        return at.year * 12 + at.month - 1
    return at.toordinal() if frequency is Frequency.DAY else (at.toordinal() - 1) // 7


def _begin(frequency: Frequency, number: int) -> datetime | None:
    """When that day, week or month begins; None in a time that nobody plans for."""
    days = {Frequency.DAY: 1, Frequency.WEEK: 7, Frequency.MONTH: 30}[frequency]
    if number * days > YEAR_MAX * 365:
        return None
    if frequency is Frequency.MONTH:
        return datetime.combine(date(number // 12, number % 12 + 1, 1), time.min)
    ordinal = number if frequency is Frequency.DAY else number * 7 + 1
    return datetime.combine(date.fromordinal(ordinal), time.min)
