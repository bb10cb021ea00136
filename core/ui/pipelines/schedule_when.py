"""When a schedule fires, as people ask for it: repeating, by a cron expression, or on new versions of a table."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import streamlit as st

from core.domain.schedule import WEEK_DAYS, Frequency, Recurrence, ScheduleSpec
from core.ui.pipelines.schedule_texts import FREQUENCIES, local_time

REPEATING, CRON, DATA = "recurrence", "cron", "data"
WAYS = {REPEATING: "Repeating", CRON: "Cron", DATA: "New data version"}
DAILY = Recurrence(Frequency.DAY, 1, hours=(6,), minutes=(0,))
WITHIN_DAYS = (Frequency.DAY, Frequency.WEEK, Frequency.MONTH)
CRON_FIELDS = "Five fields: minute, hour, day of the month, month, weekday."

Key = Callable[[str], str]
"""A field -> its widget's key."""


def ask(given: ScheduleSpec | None, tables: Sequence[str], key: Key) -> dict[str, Any]:
    """What a `ScheduleSpec` is told of its times: the way that was chosen, its time zone, its start and its end."""
    way = st.segmented_control(
        "Fires", list(WAYS), default=_way(given), format_func=WAYS.__getitem__, key=key("way"), required=True
    )
    if way == CRON:
        asked: dict[str, Any] = {"cron": _cron(given, key)}
    elif way == DATA:
        asked = {"data": _table(given, tables, key)}
    else:
        asked = {"recurrence": _recurrence((given and given.recurrence) or DAILY, key)}
    return asked | _bounds(given, key)


def _way(given: ScheduleSpec | None) -> str:
    if given is None or given.recurrence is not None:
        return REPEATING
    return CRON if given.cron else DATA


def _cron(given: ScheduleSpec | None, key: Key) -> str:
    return st.text_input(
        "Cron expression",
        value=(given and given.cron) or "0 6 * * mon-fri",
        key=key("cron"),
        help=f"{CRON_FIELDS} For example `*/15 * * * *`: every 15 minutes.",
        live=True,
    ).strip()


def _table(given: ScheduleSpec | None, tables: Sequence[str], key: Key) -> str:
    known = list(dict.fromkeys((*((given.data,) if given and given.data else ()), *tables)))
    picked = st.selectbox(
        "Table",
        known,
        key=key("data"),
        placeholder="No table is registered yet",
        help="Each new version of it starts a run, unless a run of the same pipeline made that version.",
    )
    return picked or ""


def _recurrence(given: Recurrence, key: Key) -> Recurrence:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        every = int(st.number_input("Every", min_value=1, value=given.interval, key=key("interval"), width=120))
        unit = st.selectbox(
            "Unit",
            list(Frequency),
            index=list(Frequency).index(given.frequency),
            format_func=lambda unit: FREQUENCIES[unit][every != 1],
            key=key("frequency"),
            width=140,
        )
        frequency = unit or given.frequency
        daily = frequency in WITHIN_DAYS
        hours = _numbers("Hours", 24, given.hours, key("hours")) if daily else ()
        minutes = _numbers("Minutes", 60, given.minutes, key("minutes")) if daily else ()
    return Recurrence(
        frequency,
        every,
        hours,
        minutes,
        _week_days(given, key) if frequency is Frequency.WEEK else (),
        _month_days(given, key) if frequency is Frequency.MONTH else (),
    )


def _numbers(label: str, count: int, given: Sequence[int], key: str) -> tuple[int, ...]:
    picked = st.multiselect(
        label,
        list(range(count)),
        default=list(given),
        format_func="{:02d}".format,
        key=key,
        placeholder="As at the start",
        width=220,
    )
    return tuple(sorted(picked))


def _week_days(given: Recurrence, key: Key) -> tuple[str, ...]:
    picked = st.pills(
        "Days of the week",
        list(WEEK_DAYS),
        selection_mode="multi",
        default=list(given.week_days or WEEK_DAYS[:1]),
        format_func=str.capitalize,
        key=key("week_days"),
    )
    return tuple(day for day in WEEK_DAYS if day in picked)


def _month_days(given: Recurrence, key: Key) -> tuple[int, ...]:
    picked = st.multiselect(
        "Days of the month",
        list(range(1, 32)),
        default=list(given.month_days or (1,)),
        key=key("month_days"),
        placeholder="As at the start",
        help="A month without such a day is left out.",
    )
    return tuple(sorted(picked))


def _bounds(given: ScheduleSpec | None, key: Key) -> dict[str, Any]:
    zones, first = _zones(), (given and given.timezone) or st.context.timezone or "UTC"
    known = zones if first in zones else (first, *zones)
    left, middle, right = st.columns(3)
    timezone = left.selectbox("Time zone", known, index=known.index(first), key=key("timezone"))
    help_start = "No fire before this time. Intervals are counted from it."
    start = middle.datetime_input(
        "Start (optional)",
        value=local_time(given.start if given else ""),
        key=key("start"),
        help=help_start,
    )
    end = right.datetime_input(
        "End (optional)", value=local_time(given.end if given else ""), key=key("end"), help="No fire after this time."
    )
    return {
        "timezone": timezone,
        "start": start.isoformat(timespec="minutes") if start else "",
        "end": end.isoformat(timespec="minutes") if end else "",
    }


@cache
def _zones() -> tuple[str, ...]:
    """Every IANA time zone that this machine knows; finding them takes 20 ms."""
    return tuple(sorted(available_timezones()))
