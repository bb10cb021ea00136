"""Schedules go right through daylight saving time: held against a walk over every minute, in zones of every kind."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.definitions.fires import fires, next_fires
from core.domain.schedule import WEEK_DAYS, Frequency, Recurrence, ScheduleSpec

CHANGES = (
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),  # half an hour
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Africa/Cairo", "2026-04-24"),  # at midnight; again since 2023
    ("Africa/Cairo", "2026-10-30"),
    ("America/Sao_Paulo", "2018-11-04"),  # at midnight; given up in 2019
    ("America/Sao_Paulo", "2019-02-17"),
    ("Africa/Casablanca", "2026-02-15"),  # back for a month, and forward
    ("Africa/Casablanca", "2026-03-22"),
    ("Asia/Kathmandu", "2026-03-29"),  # no change, and not on the hour
    ("UTC", "2026-03-29"),
)
MINUTE = timedelta(minutes=1)
AROUND = timedelta(hours=18)


@cache
def shown(zone: str, day: str) -> tuple[tuple[float, datetime], ...]:
    """Every minute around a day with what the clock shows."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)
    moments = [midnight - AROUND + MINUTE * n for n in range(int(2 * AROUND / MINUTE))]
    return tuple((at.timestamp(), at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for at in moments)


def once_each(clock, names) -> list[float]:
    """A time fires when the clock first shows it or anything later."""
    found, seen = [], clock[0][1]
    for at, wall in clock[1:]:
        if wall > seen:
            if any(names(seen + MINUTE * n) for n in range(1, int((wall - seen) / MINUTE) + 1)):
                found.append(at)
            seen = wall
    return found


def as_shown(clock, names) -> list[float]:
    return [at for at, wall in clock[1:] if names(wall)]


def found(spec: ScheduleSpec, clock) -> list[float]:
    return list(takewhile(lambda at: at <= clock[-1][0], fires(spec, clock[0][0])))


def test_the_zones_change_where_the_walk_looks():
    for zone, day in CHANGES:
        offsets = {
            round((wall - datetime.fromtimestamp(at, UTC).replace(tzinfo=None)) / MINUTE)
            for at, wall in shown(zone, day)
        }
        assert len(offsets) == (1 if zone in ("UTC", "Asia/Kathmandu") else 2), (zone, day)


some_hours = st.sets(st.integers(0, 5) | st.integers(0, 23), min_size=1, max_size=4)
some_minutes = st.sets(st.sampled_from((0, 15, 30, 45)) | st.integers(0, 59), min_size=1, max_size=3)


@settings(max_examples=70, derandomize=True, deadline=None)
@given(st.sampled_from(CHANGES), some_hours | st.none(), some_minutes | st.none(), st.sets(st.integers(0, 6)))
def test_a_cron_expression_fires_when_the_clock_has_it(change, hours, minutes, weekdays):
    minute, hour, weekday = (",".join(map(str, sorted(s))) if s else "*" for s in (minutes, hours, weekdays))
    clock = shown(*change)

    def names(wall: datetime) -> bool:
        return (
            (not minutes or wall.minute in minutes)
            and (not hours or wall.hour in hours)
            and (not weekdays or wall.isoweekday() % 7 in weekdays)
        )

    walk = as_shown if "*" in (minute, hour) else once_each
    assert found(ScheduleSpec("s", "p", f"{minute} {hour} * * {weekday}", change[0]), clock) == walk(clock, names)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.sampled_from(CHANGES), some_hours, some_minutes, st.integers(1, 3), st.integers(0, 500))
def test_a_recurrence_of_days_fires_once_for_each_time(change, hours, minutes, interval, days_ago):
    begun = datetime.fromisoformat(change[1]) - timedelta(days_ago)
    recurrence = Recurrence(Frequency.DAY, interval, tuple(hours), tuple(minutes))
    clock = shown(*change)

    def names(wall: datetime) -> bool:
        phase = (wall.date() - begun.date()).days
        return phase >= 0 and phase % interval == 0 and wall.hour in hours and wall.minute in minutes

    spec = ScheduleSpec("s", "p", timezone=change[0], recurrence=recurrence, start=f"{begun:%Y-%m-%d}")
    assert found(spec, clock) == once_each(clock, names)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.sampled_from(CHANGES), st.sampled_from((Frequency.MINUTE, Frequency.HOUR)), st.integers(1, 100))
def test_a_recurrence_of_minutes_or_hours_goes_on_whatever_the_clock_does(change, frequency, interval):
    clock = shown(*change)
    spec = ScheduleSpec(
        "s", "p", timezone=change[0], recurrence=Recurrence(frequency, interval), start="2018-01-01T00:07"
    )
    times = found(spec, clock)
    step = interval * (60 if frequency is Frequency.MINUTE else 3600)
    start = datetime(2018, 1, 1, 0, 7, tzinfo=ZoneInfo(change[0])).timestamp()
    assert times == [at for at, _ in clock[1:] if (at - start) % step == 0]


@settings(max_examples=25, derandomize=True, deadline=None)
@given(
    st.sampled_from((Frequency.DAY, Frequency.WEEK, Frequency.MONTH)),
    st.integers(1, 9),
    st.sets(st.sampled_from(WEEK_DAYS), min_size=1),
    st.sets(st.integers(1, 31), min_size=1),
    st.dates(date(2020, 1, 1), date(2026, 1, 1)),
)
def test_a_recurrence_stays_in_phase_for_years(frequency, interval, week_days, month_days, begun):
    week_days = week_days if frequency is Frequency.WEEK else set()
    month_days = month_days if frequency is Frequency.MONTH else set()
    recurrence = Recurrence(frequency, interval, (8,), (), tuple(week_days), tuple(month_days))
    spec = ScheduleSpec("s", "p", recurrence=recurrence, start=begun.isoformat())

    def periods(day) -> int:
        monday = begun - timedelta(begun.weekday())
        months = (day.year - begun.year) * 12 + day.month - begun.month
        return {Frequency.DAY: (day - begun).days, Frequency.WEEK: (day - monday).days // 7}.get(frequency, months)

    days = [begun + timedelta(n) for n in range(1100)]
    expected = [
        day
        for day in days
        if periods(day) % interval == 0
        and (not week_days or WEEK_DAYS[day.weekday()] in week_days)
        and (not month_days or day.day in month_days)
    ]
    end = datetime.combine(days[-1], datetime.max.time(), UTC).timestamp()
    times = takewhile(lambda at: at < end, fires(spec, 0.0))
    assert [datetime.fromtimestamp(at, UTC).date() for at in times] == expected


def test_every_two_weeks_is_the_same_time_of_day_on_every_other_monday():
    spec = ScheduleSpec(
        "s",
        "p",
        timezone="Europe/Berlin",
        recurrence=Recurrence(Frequency.WEEK, 2, (8,), (), ("monday",)),
        start="2026-01-05",
    )
    zone = ZoneInfo("Europe/Berlin")
    walls = [datetime.fromtimestamp(at, zone).replace(tzinfo=None) for at in next_fires(spec, 0.0, 120)]
    assert walls == [datetime.fromisoformat("2026-01-05T08:00") + timedelta(weeks=2 * n) for n in range(120)]


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        ("30 2 * * *", "2026-03-28T12:00", ["29 03:00+0200", "30 02:30+0200"]),
        ("30 2 * * *", "2026-10-24T12:00", ["25 02:30+0200", "26 02:30+0100"]),
        ("0,30 2,3 * * *", "2026-03-28T12:00", ["29 03:00+0200", "29 03:30+0200"]),
        ("30 * * * *", "2026-03-29T01:00", ["29 01:30+0100", "29 03:30+0200"]),
        ("30 * * * *", "2026-10-25T02:00", ["25 02:30+0200", "25 02:30+0100"]),
    ],
)
def test_a_night_in_berlin(cron, after, expected):
    zone = ZoneInfo("Europe/Berlin")
    begin = datetime.fromisoformat(after).replace(tzinfo=zone).timestamp()
    times = next_fires(ScheduleSpec("s", "p", cron, "Europe/Berlin"), begin, 2)
    assert [f"{datetime.fromtimestamp(at, zone):%d %H:%M%z}" for at in times] == expected
