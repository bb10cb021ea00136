"""Schedules: when pipelines run by themselves, and what became of each fire."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.domain.errors import SpecInvalid
from core.domain.names import check_name
from core.domain.rules import check_text, check_whole, shown

WEEK_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
INTERVAL_MAX = 10_000


class Misfire(StrEnum):
    """What happens to the fires that were due while nothing could run."""

    SKIP = "skip"
    ONCE = "once"
    """The latest of them runs."""
    ALL = "all"


class Overlap(StrEnum):
    """What happens to a fire while the schedule's last run goes on."""

    SKIP = "skip"
    QUEUE = "queue"
    """It runs when that one has ended."""
    ALLOW = "allow"


class Frequency(StrEnum):
    """A recurrence's unit, by Azure ML's names."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Every `interval` units, counted from the schedule's start; at these hours and minutes of its days."""

    frequency: Frequency
    interval: int = 1
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    week_days: tuple[str, ...] = ()
    """`monday` to `sunday`; of a weekly recurrence."""
    month_days: tuple[int, ...] = ()
    """1 to 31, of a monthly recurrence; a month without that day is left out."""

    def __post_init__(self) -> None:
        unit = self.frequency
        check_whole("The interval of a recurrence", self.interval, 1, INTERVAL_MAX)
        for name, values, low, high in (
            ("hour", self.hours, 0, 23),
            ("minute", self.minutes, 0, 59),
            ("day of the month", self.month_days, 1, 31),
        ):
            for value in values:
                check_whole(f"A recurrence's {name}", value, low, high)
        if unknown := [day for day in self.week_days if day not in WEEK_DAYS]:
            raise SpecInvalid(f"There is no day {shown(unknown[0])}", hint=f"It is one of {', '.join(WEEK_DAYS)}")
        if (self.hours or self.minutes) and unit in (Frequency.MINUTE, Frequency.HOUR):
            raise SpecInvalid(f"A recurrence by the {unit} takes no times of day", hint="Its start says when it begins")
        if self.week_days and unit is not Frequency.WEEK:
            raise SpecInvalid(f"A recurrence by the {unit} takes no days of the week", hint="One by the week does")
        if self.month_days and unit is not Frequency.MONTH:
            raise SpecInvalid(f"A recurrence by the {unit} takes no days of the month", hint="One by the month does")


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """When to trigger which pipeline: exactly one of `cron`, `recurrence` and `data` says when."""

    name: str
    pipeline: str
    cron: str = ""
    """Five fields, as crontab(5) reads them."""
    timezone: str = "UTC"
    """An IANA name."""
    experiment_name: str = "scheduled"
    recurrence: Recurrence | None = None
    data: str = ""
    """A data asset's name: each new version starts a run, unless a run of the same pipeline made it."""
    start: str = ""
    """No fire before this local time of `timezone`, as `2026-12-01T06:00`; a recurrence counts from it."""
    end: str = ""
    """No fire after this local time."""
    version: int = 0
    """The pipeline's version; 0: the one that is its default when it fires."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """`{version}` in a text is the new version, where `data` says when."""
    misfire: Misfire = Misfire.ONCE
    overlap: Overlap = Overlap.SKIP

    def __post_init__(self) -> None:
        check_name("a schedule", self.name)
        check_text("The pipeline of a schedule", self.pipeline)
        check_text("The experiment's name", self.experiment_name)
        check_whole("The version of a pipeline", self.version, 0, 1_000_000_000)
        if sum((bool(self.cron), self.recurrence is not None, bool(self.data))) != 1:
            raise SpecInvalid(
                "A schedule fires by exactly one of a cron expression, a recurrence, and new versions of a data asset"
            )
        if self.recurrence is not None and not self.start:
            if self.recurrence.frequency is Frequency.WEEK and not self.recurrence.week_days:
                raise SpecInvalid("A weekly schedule needs the days of its week", hint="Or a start, whose day it takes")
            if self.recurrence.frequency is Frequency.MONTH and not self.recurrence.month_days:
                raise SpecInvalid(
                    "A monthly schedule needs the days of its month", hint="Or a start, whose day it takes"
                )


class FireOutcome(StrEnum):
    """What became of a fire."""

    STARTED = "started"
    WAITING = "waiting"
    """The last run goes on; it runs when that has ended."""
    SKIPPED = "skipped"
    MISSED = "missed"
    """It was due while the machine or the service was off, and the misfire policy left it out."""
    FAILED = "failed"
    """The pipeline could not be started; the message says why."""


@dataclass(frozen=True, slots=True)
class Fire:
    """One fire of a schedule; no two of one schedule have the same `key`."""

    schedule: str
    key: str
    """The time that it was due (seconds since the epoch), or the data version, or the id of a run that a person asked
    for."""
    due_at: float
    outcome: FireOutcome
    recorded_at: float
    run_id: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule as it is now, with its next fire times (seconds since the epoch)."""

    spec: ScheduleSpec
    enabled: bool
    next_fires_at: tuple[float, ...] = ()
    last_run_id: str = ""
    words: str = ""
    """When it fires, as people say it: `every weekday at 06:00, Berlin time`."""
    created_at: float = 0.0
    last_fire: Fire | None = None
