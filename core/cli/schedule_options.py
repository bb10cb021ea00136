"""A schedule as the command line says it: its options, and the spec that they make."""

import re
from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.cli.command import arg
from core.cli.values import assignment
from core.domain.errors import SpecInvalid
from core.domain.schedule import WEEK_DAYS, Frequency, Misfire, Overlap, Recurrence, ScheduleSpec

CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
Time = tuple[int, int]


def clock_time(text: str) -> Time:
    """`06:30`."""
    if (found := CLOCK.fullmatch(text)) is None:
        raise ArgumentTypeError(f"'{text}' is not HH:MM")
    return int(found[1]), int(found[2])


def day(text: str) -> str | int:
    """A day of the week, also by its first three letters, or of the month by its number."""
    if text.isdecimal():
        return int(text)
    found = next((name for name in WEEK_DAYS if text.lower() in (name, name[:3])), None)
    if found is None:
        raise ArgumentTypeError(f"'{text}' is no day: it is one of {', '.join(WEEK_DAYS)}, or 1 to 31")
    return found


WHEN = (
    arg("--cron", metavar="FIELDS", help="minute, hour, day of the month, month, weekday: '0 6 * * mon-fri'"),
    arg("--every", choices=[str(unit) for unit in Frequency], help="instead of --cron: a recurrence by this unit"),
    arg("--interval", type=int, metavar="N", help="every so many of them, counted from --start (default: 1)"),
    arg("--at", type=clock_time, action="append", metavar="HH:MM", help="at this time of its days; repeatable"),
    arg("--on", type=day, action="append", metavar="DAY", help="monday, or the day of the month; repeatable"),
    arg("--data", metavar="NAME", help="instead of --cron: with each new version of this data asset"),
    arg("--timezone", metavar="ZONE", help="an IANA name such as Europe/Berlin (default: UTC)"),
    arg("--start", metavar="TIME", help="not before this local time, such as 2026-12-01T06:00"),
    arg("--end", metavar="TIME", help="not after this local time"),
)
"""When it fires."""
WHAT = (
    arg("--version", type=int, metavar="N", help="this version of the pipeline (default: the default one, each time)"),
    arg(
        "--set",
        action="append",
        default=[],
        type=assignment,
        metavar="PARAMETER=VALUE",
        help="repeatable; with --data, {version} stands for the new version's number",
    ),
    arg("--experiment", metavar="NAME", help="the experiment its runs belong to (default: scheduled)"),
    arg(
        "--misfire",
        choices=[str(policy) for policy in Misfire],
        help="of the fires that were due while the service was off: none, the latest, or all run (default: once)",
    ),
    arg(
        "--overlap",
        choices=[str(policy) for policy in Overlap],
        help="a fire while the last run is going: left out, run after it, or beside it (default: skip)",
    ),
    arg("--dry-run", action="store_true", help="only show when it would fire"),
)
"""What it does then."""


def spec_of(options: Namespace, parameters: dict[str, Any], known: ScheduleSpec | None = None) -> ScheduleSpec:
    """The schedule that the options make; what they do not say is `known`'s, or the default. Raises SpecInvalid."""
    said = {
        "timezone": options.timezone,
        "start": options.start,
        "end": options.end,
        "version": options.version,
        "experiment_name": options.experiment,
        "misfire": options.misfire and Misfire(options.misfire),
        "overlap": options.overlap and Overlap(options.overlap),
    }
    changes: dict[str, Any] = _when(options) | {name: value for name, value in said.items() if value is not None}
    if known is None:
        return ScheduleSpec(options.name, options.pipeline, parameters=parameters, **changes)
    if options.pipeline and options.pipeline != known.pipeline:
        changes = {"pipeline": options.pipeline, "version": 0, **changes}
    return replace(known, parameters={**known.parameters, **parameters}, **changes)


def preview_of(options: Namespace) -> ScheduleSpec:
    """A schedule of which only the times matter."""
    times = {"timezone": options.timezone, "start": options.start, "end": options.end}
    given: dict[str, Any] = _when(options) | {name: text for name, text in times.items() if text is not None}
    return ScheduleSpec("preview", "none", **given)


def _when(options: Namespace) -> dict[str, Any]:
    """What says when, empty where nothing does."""
    given = [name for name in ("cron", "every", "data") if getattr(options, name)]
    parts = [name for name in ("interval", "at", "on") if getattr(options, name)]
    if len(given) > 1:
        raise SpecInvalid(f"--{given[0]} and --{given[1]} both say when", hint="Give one of --cron, --every, --data")
    if parts and given != ["every"]:
        raise SpecInvalid(f"--{parts[0]} goes with --every", hint="For example: --every day --at 06:00")
    if not given:
        return {}
    when: dict[str, Any] = {"cron": options.cron or "", "data": options.data or "", "recurrence": None}
    return when | ({"recurrence": _recurrence(options)} if options.every else {})


def _recurrence(options: Namespace) -> Recurrence:
    hours, minutes = _product(options.at or ())
    days = options.on or ()
    return Recurrence(
        Frequency(options.every),
        1 if options.interval is None else options.interval,
        hours,
        minutes,
        tuple(day for day in days if isinstance(day, str)),
        tuple(day for day in days if isinstance(day, int)),
    )


def _product(times: Sequence[Time]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The hours and minutes of which all times are made; a recurrence has every minute in every hour."""
    hours, minutes = sorted({hour for hour, _ in times}), sorted({minute for _, minute in times})
    if lacking := [(hour, minute) for hour in hours for minute in minutes if (hour, minute) not in times]:
        raise SpecInvalid(
            f"These times would include {lacking[0][0]:02}:{lacking[0][1]:02} too",
            hint="A recurrence has the same minutes in each of its hours; make two schedules",
        )
    return tuple(hours), tuple(minutes)
