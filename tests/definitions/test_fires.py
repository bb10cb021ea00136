"""Schedules fire when cron would."""

import time
from datetime import UTC, datetime

import pytest

from core.definitions.fires import check_schedule, latest_fires, next_fires
from core.domain.errors import SpecInvalid
from core.domain.schedule import Frequency, Recurrence, ScheduleSpec

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp()


def schedule(cron: str = "", zone: str = "UTC", **more) -> ScheduleSpec:
    return ScheduleSpec("s", "p", cron, zone, **more)


def said(times: tuple[float, ...]) -> list[str]:
    return [f"{datetime.fromtimestamp(at, UTC):%a %d %b %H:%M}" for at in times]


def fires(cron: str, count: int = 3, zone: str = "UTC") -> list[str]:
    return said(next_fires(schedule(cron, zone), MONDAY, count))


def recurring(recurrence: Recurrence, count: int = 3, **more) -> list[str]:
    return said(next_fires(schedule(recurrence=recurrence, **more), MONDAY, count))


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("*/15 * * * *", ["Mon 23 Nov 12:15", "Mon 23 Nov 12:30", "Mon 23 Nov 12:45"]),
        ("0 6 * * 1-5", ["Tue 24 Nov 06:00", "Wed 25 Nov 06:00", "Thu 26 Nov 06:00"]),
        ("0 6 * * 0", ["Sun 29 Nov 06:00", "Sun 06 Dec 06:00", "Sun 13 Dec 06:00"]),
        ("0 6 * * 7", ["Sun 29 Nov 06:00", "Sun 06 Dec 06:00", "Sun 13 Dec 06:00"]),
        ("0 6 * * 5-7", ["Fri 27 Nov 06:00", "Sat 28 Nov 06:00", "Sun 29 Nov 06:00"]),
        ("0 6 * * fri-sun", ["Fri 27 Nov 06:00", "Sat 28 Nov 06:00", "Sun 29 Nov 06:00"]),
        ("0 6 * * */3", ["Wed 25 Nov 06:00", "Sat 28 Nov 06:00", "Sun 29 Nov 06:00"]),
        ("0 6 * * TUE", ["Tue 24 Nov 06:00", "Tue 01 Dec 06:00", "Tue 08 Dec 06:00"]),
        ("0 0 25 * 3", ["Wed 25 Nov 00:00", "Wed 02 Dec 00:00", "Wed 09 Dec 00:00"]),
        ("0 0 1 * 5", ["Fri 27 Nov 00:00", "Tue 01 Dec 00:00", "Fri 04 Dec 00:00"]),
        ("0 0 1 jan-jul/3 *", ["Fri 01 Jan 00:00", "Thu 01 Apr 00:00", "Thu 01 Jul 00:00"]),
        ("0 0 31 12 *", ["Thu 31 Dec 00:00", "Fri 31 Dec 00:00", "Sun 31 Dec 00:00"]),
    ],
)
def test_fires_as_crontab_reads_it(cron, expected):
    assert fires(cron) == expected


def test_a_fire_is_strictly_after_the_moment_asked():
    assert fires("0 12 * * *", 1) == ["Tue 24 Nov 12:00"]


def test_a_time_zone_moves_the_fires():
    assert fires("0 6 * * *", 1, "Asia/Tokyo") == ["Mon 23 Nov 21:00"]


def test_a_day_that_never_comes_gives_no_fires():
    assert next_fires(schedule("0 0 31 2 *"), MONDAY, 3) == ()


@pytest.mark.parametrize(
    "cron",
    [
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "* * * * 5-2",
        "x * * * *",
        "* * * * */0",
        "* * last * *",
        "* * * janx *",
    ],
)
def test_an_expression_that_cron_refuses_is_refused(cron):
    with pytest.raises(SpecInvalid) as refused:
        next_fires(schedule(cron), MONDAY)
    assert "Five fields" in refused.value.hint


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc", "Europe"])
def test_an_unknown_time_zone_is_named(zone):
    with pytest.raises(SpecInvalid, match="no time zone"):
        next_fires(schedule("* * * * *", zone), MONDAY)


def test_february_29_comes_every_four_years():
    times = next_fires(schedule("0 0 29 2 *"), MONDAY, 5)
    assert [datetime.fromtimestamp(at, UTC).year for at in times] == [2028, 2032, 2036, 2040, 2044]


@pytest.mark.parametrize(
    ("recurrence", "start", "expected"),
    [
        (Recurrence(Frequency.DAY, 2, (6,), (30,)), "", ["Wed 25 Nov 06:30", "Fri 27 Nov 06:30", "Sun 29 Nov 06:30"]),
        (Recurrence(Frequency.DAY), "2026-11-24T07:10", ["Tue 24 Nov 07:10", "Wed 25 Nov 07:10", "Thu 26 Nov 07:10"]),
        (Recurrence(Frequency.MINUTE, 90), "", ["Mon 23 Nov 13:30", "Mon 23 Nov 15:00", "Mon 23 Nov 16:30"]),
        (
            Recurrence(Frequency.HOUR, 5),
            "2026-11-20T01:00",
            ["Mon 23 Nov 14:00", "Mon 23 Nov 19:00", "Tue 24 Nov 00:00"],
        ),
        (
            Recurrence(Frequency.WEEK, 2, (8, 20), (), ("monday", "thursday")),
            "2026-11-16",
            ["Mon 30 Nov 08:00", "Mon 30 Nov 20:00", "Thu 03 Dec 08:00"],
        ),
        (
            Recurrence(Frequency.WEEK, 2),
            "2026-11-18T09:15",
            ["Wed 02 Dec 09:15", "Wed 16 Dec 09:15", "Wed 30 Dec 09:15"],
        ),
        (
            Recurrence(Frequency.MONTH, 1, (), (), (), (31,)),
            "",
            ["Thu 31 Dec 00:00", "Sun 31 Jan 00:00", "Wed 31 Mar 00:00"],
        ),
        (
            Recurrence(Frequency.MONTH, 3),
            "2026-01-30T12:00",
            ["Sat 30 Jan 12:00", "Fri 30 Apr 12:00", "Fri 30 Jul 12:00"],
        ),
    ],
)
def test_a_recurrence_counts_from_its_start(recurrence, start, expected):
    assert recurring(recurrence, start=start) == expected


def test_a_recurrence_without_a_start_counts_from_the_day_that_it_is_told():
    every_third_day = schedule(recurrence=Recurrence(Frequency.DAY, 3, (6,)))
    later = MONDAY + 100 * 86_400
    assert said(next_fires(every_third_day, later, 2, since=MONDAY)) == ["Fri 05 Mar 06:00", "Mon 08 Mar 06:00"]


def test_nothing_fires_before_the_start_or_after_the_end():
    spec = schedule("0 6 * * *", "Europe/Berlin", start="2026-11-25T06:00", end="2026-11-27T06:00")
    assert said(next_fires(spec, MONDAY, 9)) == ["Wed 25 Nov 05:00", "Thu 26 Nov 05:00", "Fri 27 Nov 05:00"]


def test_an_end_without_a_time_is_the_end_of_that_day():
    assert said(next_fires(schedule("0 23 * * *", end="2026-11-24"), MONDAY, 9)) == [
        "Mon 23 Nov 23:00",
        "Tue 24 Nov 23:00",
    ]


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (schedule("0 0 30 2 *"), "never fires"),
        (schedule("0 6 * * *", start="2027-02-01", end="2027-01-01"), "before it starts"),
        (schedule("0 6 * * *", end="2026-11-01"), "has passed"),
        (schedule("0 0 1 1 *", end="2026-12-24"), "never fires"),
        (schedule(recurrence=Recurrence(Frequency.MONTH, 12, (), (), (), (30,)), start="2026-02-01"), "never fires"),
        (schedule("0 6 * * *", start="tomorrow"), "expected a date with a time"),
        (schedule("0 6 * * *", start="2026-12-01T06:00+01:00"), "without an offset"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_in_a_sentence(spec, sentence):
    with pytest.raises(SpecInvalid, match=sentence):
        check_schedule(spec, MONDAY)


@pytest.mark.parametrize(
    "fields",
    [
        {"interval": 0},
        {"hours": (24,)},
        {"minutes": (-1,)},
        {"month_days": (1,)},
        {"week_days": ("monday",)},
        {"frequency": Frequency.WEEK, "week_days": ("someday",)},
        {"frequency": Frequency.HOUR, "minutes": (5,)},
    ],
)
def test_a_recurrence_that_makes_no_sense_is_refused(fields):
    with pytest.raises(SpecInvalid):
        Recurrence(**{"frequency": Frequency.DAY, **fields})


@pytest.mark.parametrize("frequency", [Frequency.WEEK, Frequency.MONTH])
def test_weeks_and_months_need_their_days_or_a_start(frequency):
    with pytest.raises(SpecInvalid, match="needs the days"):
        schedule(recurrence=Recurrence(frequency))


def test_the_latest_fire_is_found_without_walking_through_a_year():
    year = 366 * 86_400
    found = latest_fires(schedule("* * * * *"), MONDAY, MONDAY + year, 2, since=MONDAY)
    assert said(found) == ["Wed 24 Nov 11:59", "Wed 24 Nov 12:00"]
    assert latest_fires(schedule("0 0 1 1 *"), MONDAY, MONDAY + 86_400, 1, since=MONDAY) == ()


def test_five_fires_are_found_at_once():
    slow = [schedule("0 0 29 2 *", zone) for zone in ("Europe/Berlin", "Australia/Lord_Howe")]
    slow += [schedule("* 2 25 10 *", "Europe/Berlin"), schedule("59 23 31 12 7", "America/New_York")]
    slow += [schedule(recurrence=Recurrence(Frequency.MONTH, 12, (), (), (), (29,)), start="2024-02-01")]
    for spec in slow:
        begun = time.process_time()
        assert len(next_fires(spec, MONDAY, 5)) == 5
        assert time.process_time() - begun < 0.05
