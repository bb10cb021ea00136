"""Schedules fire when cron would."""

from datetime import UTC, datetime

import pytest

from core.definitions.fires import next_fires
from core.domain.errors import SpecInvalid

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp()


def fires(cron: str, count: int = 3, zone: str = "UTC") -> list[str]:
    return [f"{datetime.fromtimestamp(at, UTC):%a %d %b %H:%M}" for at in next_fires(cron, zone, MONDAY, count)]


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
    assert next_fires("0 0 31 2 *", "UTC", MONDAY, 3) == ()


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "* * * * 5-2",
        "x * * * *",
        "* * * * */0",
    ],
)
def test_an_expression_that_cron_refuses_is_refused(cron):
    with pytest.raises(SpecInvalid) as refused:
        next_fires(cron, "UTC", MONDAY)
    assert "Five fields" in refused.value.hint


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc", "Europe"])
def test_an_unknown_time_zone_is_named(zone):
    with pytest.raises(SpecInvalid, match="no time zone"):
        next_fires("* * * * *", zone, MONDAY)
