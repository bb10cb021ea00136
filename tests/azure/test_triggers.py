"""When a schedule fires, in the words of Azure ML."""

import pytest

from core.azure.pipelines.triggers import check, trigger, windows_zone
from core.domain.errors import NotSupported, SpecInvalid
from core.domain.schedule import Frequency, Misfire, Overlap, Recurrence, ScheduleSpec

MADE_AT = 1_790_000_000.0
"""2026-09-21, a Monday."""


@pytest.mark.parametrize(
    ("name", "windows"),
    [
        ("UTC", "UTC"),
        ("Europe/Berlin", "W. Europe Standard Time"),
        ("America/Los_Angeles", "Pacific Standard Time"),
        ("Asia/Calcutta", "India Standard Time"),
        ("Asia/Kolkata", "India Standard Time"),
    ],
)
def test_a_time_zone_has_the_name_that_windows_gives_it(name, windows):
    assert windows_zone(name) == windows


def test_a_zone_that_azure_does_not_know_is_refused():
    with pytest.raises(SpecInvalid, match="Azure does not know"):
        windows_zone("America/Whitehorse")
    with pytest.raises(SpecInvalid, match="no time zone"):
        windows_zone("Mars/Olympus")


@pytest.mark.parametrize(
    ("spec", "error", "said"),
    [
        (ScheduleSpec("s", "p", "0 6 * * *", misfire=Misfire.ALL), NotSupported, "no misfire policy"),
        (ScheduleSpec("s", "p", "0 6 * * *", overlap=Overlap.QUEUE), NotSupported, "do not wait"),
        (ScheduleSpec("s", "p", data="people"), NotSupported, "data changes"),
        (ScheduleSpec("s", "p", "0 6 1 * *"), SpecInvalid, r"days and months of a cron expression as \*"),
        (ScheduleSpec("s", "p", "0 6 * 2 *"), SpecInvalid, "months of a cron"),
    ],
    ids=["misfire", "queue", "data", "day of the month", "month"],
)
def test_what_azure_would_do_otherwise_is_refused(spec, error, said):
    with pytest.raises(error) as refused:
        check(spec)
    assert refused.match(said)


def test_a_cron_expression_is_sent_as_it_is_with_its_zone():
    check(spec := ScheduleSpec("s", "p", "0 6 * * mon-fri", "Europe/Berlin"))
    made = trigger(spec, MADE_AT)
    assert (made.expression, made.time_zone, made.start_time) == ("0 6 * * mon-fri", "W. Europe Standard Time", None)


def test_sunday_is_0():
    assert trigger(ScheduleSpec("s", "p", "0 6 * * 7"), MADE_AT).expression == "0 6 * * 0"


def test_a_recurrence_says_all_that_azure_wants_to_know():
    weekly = Recurrence(Frequency.WEEK, 2, hours=(6, 18), week_days=("monday",))
    made = trigger(ScheduleSpec("s", "p", recurrence=weekly, end="2026-12-31"), MADE_AT)
    assert (made.frequency, made.interval, made.schedule.hours, made.schedule.minutes) == ("week", 2, [6, 18], [0])
    assert (made.start_time, made.end_time) == ("2026-09-21T00:00:00", "2026-12-31T23:59:59")
    hourly = trigger(
        ScheduleSpec("s", "p", recurrence=Recurrence(Frequency.HOUR, 6), start="2026-12-01T06:30"), MADE_AT
    )
    assert (hourly.frequency, hourly.schedule.hours, hourly.start_time) == ("hour", [], "2026-12-01T06:30:00")
