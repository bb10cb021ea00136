"""A schedule in words, which are never wrong."""

import re
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.definitions.fires import fires
from core.definitions.schedule_words import schedule_words
from core.domain.errors import SpecInvalid
from core.domain.schedule import WEEK_DAYS, Frequency, Recurrence, ScheduleSpec


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 6 * * 1-5", "every weekday at 06:00, Berlin time"),
        ("0 6 * * *", "every day at 06:00, Berlin time"),
        ("0 6,18 * * 6-7", "every Saturday and Sunday at 06:00 and 18:00, Berlin time"),
        ("*/15 * * * *", "every 15 minutes"),
        ("* * * * *", "every minute"),
        ("0 * * * *", "every hour, Berlin time"),
        ("5 * * * *", "at 5 minutes past every hour, Berlin time"),
        ("0 */2 * * *", "every 2 hours from 00:00 to 22:00, Berlin time"),
        ("*/15 8-17 * * mon-fri", "every weekday, every 15 minutes from 08:00 to 17:45, Berlin time"),
        ("0 0 1,15 * *", "on the 1st and 15th of every month at 00:00, Berlin time"),
        ("0 0 22 jan-mar *", "on the 22nd of January, February and March at 00:00, Berlin time"),
        (
            "* 0 1 * mon",
            "when the hour is 0 and either the day of the month is 1 or the weekday is mon, Berlin time",
        ),
    ],
)
def test_a_cron_expression_in_words(cron, words):
    assert schedule_words(ScheduleSpec("s", "p", cron, "Europe/Berlin")) == words


@pytest.mark.parametrize(
    ("recurrence", "start", "words"),
    [
        (
            Recurrence(Frequency.WEEK, 2, (8, 20), (), ("monday", "thursday")),
            "",
            "every 2 weeks on Monday and Thursday at 08:00 and 20:00, New York time",
        ),
        (Recurrence(Frequency.WEEK, 1, (6,), (), WEEK_DAYS[:5]), "", "every weekday at 06:00, New York time"),
        (Recurrence(Frequency.MINUTE, 15), "", "every 15 minutes"),
        (Recurrence(Frequency.HOUR), "2026-12-01T06:00", "every hour, New York time, from 2026-12-01 06:00"),
        (Recurrence(Frequency.DAY, 3), "", "every 3 days at 00:00, New York time"),
        (
            Recurrence(Frequency.MONTH, 1, (), (), (), (1,)),
            "",
            "on the 1st of every month at 00:00, New York time",
        ),
        (
            Recurrence(Frequency.MONTH, 3, (8,), (30,)),
            "2026-12-03",
            "every 3 months on the 3rd at 08:30, New York time, from 2026-12-03",
        ),
    ],
)
def test_a_recurrence_in_words(recurrence, start, words):
    spec = ScheduleSpec("s", "p", timezone="America/New_York", recurrence=recurrence, start=start)
    assert schedule_words(spec) == words


def test_a_watched_data_asset_in_words():
    assert schedule_words(ScheduleSpec("s", "p", data="bank")) == "on each new version of bank"


@pytest.mark.parametrize(
    ("zone", "said"),
    [("UTC", "UTC"), ("Etc/GMT+5", "Etc/GMT+5"), ("America/Argentina/Buenos_Aires", "Buenos Aires time")],
)
def test_a_time_zone_is_called_by_its_place(zone, said):
    assert schedule_words(ScheduleSpec("s", "p", "0 6 * * *", zone)) == f"every day at 06:00, {said}"


@pytest.mark.parametrize("zone", ["Mars/Olympus", ""])
def test_words_for_what_is_no_schedule_are_refused(zone):
    with pytest.raises(SpecInvalid):
        schedule_words(ScheduleSpec("s", "p", "0 6 * * *", zone))


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = [f"{date(2026, month, 1):%B}" for month in range(1, 13)]


def claims(words: str, at: datetime) -> bool:
    """Whether the words say that a schedule fires at this minute; read without knowing what they were made of."""
    minutes, time_of_day = at.hour * 60 + at.minute, f"{at:%H:%M}"
    span = re.search(r"from (\d\d):(\d\d) to (\d\d):(\d\d)", words)
    first, last = (int(span[1]) * 60 + int(span[2]), int(span[3]) * 60 + int(span[4])) if span else (0, 24 * 60)
    if not first <= minutes <= last:
        return False
    if stated := re.findall(r"\d\d:\d\d(?! to|\d)", re.sub(r"from \S+ to \S+", "", words)):
        if time_of_day not in stated:
            return False
    elif past := re.search(r"at ([\d, and]+) minutes? past", words):
        if str(at.minute) not in re.findall(r"\d+", past[1]):
            return False
    elif every := re.search(r"every (?:(\d+) )?(minute|hour)", words):
        step = int(every[1] or 1) * (60 if every[2] == "hour" else 1)
        if (minutes - first) % step:
            return False
    if (months := [month for month in MONTHS if month in words]) and f"{at:%B}" not in months:
        return False
    if of_month := re.findall(r"(\d+)(?:st|nd|rd|th)", words):
        return str(at.day) in of_month
    if "weekday" in words:
        return at.weekday() < 5
    named = [day for day in DAYS if day in words]
    return not named or DAYS[at.weekday()] in named


numbers = st.one_of(
    st.just("*"),
    st.sampled_from(("*/5", "*/7", "*/15", "0", "30", "0,30", "10-20/5", "8-17", "1", "6,18", "*/2", "*/6", "0-5")),
)
days = st.sampled_from(("*", "1", "15", "1,15", "28-31", "*/2", "*/10"))
months = st.sampled_from(("*", "1", "jan-mar", "feb,11", "*/2"))
weekdays = st.sampled_from(("*", "mon-fri", "1-5", "0", "7", "sat-sun", "fri-7", "*/2", "2,4", "0-6", "wed"))
EXAMPLES_AT = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in (0, 3, 14, 27, 46, 59, 89, 180, 303, 333)]


@settings(max_examples=150, derandomize=True, deadline=None)
@given(numbers, numbers, days, months, weekdays, st.sampled_from(EXAMPLES_AT))
def test_the_words_are_true(minute, hour, day, month, weekday, begin):
    try:
        spec = ScheduleSpec("s", "p", f"{minute} {hour} {day} {month} {weekday}")
        words = schedule_words(spec)
    except SpecInvalid:
        return
    if words.startswith("when "):
        for field in (minute, hour, day, month, weekday):
            assert field == "*" or f"is {field}" in words
        return
    end = begin + timedelta(days=2)
    found = set(takewhile(lambda at: at < end.timestamp(), fires(spec, begin.timestamp() - 1)))
    clock = [begin + timedelta(minutes=n) for n in range(2 * 24 * 60)]
    assert {at.timestamp() for at in clock if claims(words, at)} == found, words
