"""What becomes of a fire that is due: pure, so that a test can try every order of events."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.definitions.fires import latest_fires, next_fires
from core.domain.schedule import FireOutcome, Misfire, Overlap, ScheduleSpec

LATE_S = 60.0
"""A fire that is later than this was missed: the service was off, or the clock was put forward."""
MADE_UP_MAX = 1000
"""So many missed fires, the latest, are kept one by one, and made up for where `all` are."""
VERSION = "{version}"
"""What stands for the new version's number in the parameters of a schedule that waits for data."""


@dataclass(frozen=True, slots=True)
class Due:
    """A fire that is due and not decided."""

    key: str
    """Its time, or `name:version` of the data."""
    due_at: float
    late: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What a schedule's own runs do at the moment."""

    going: int = 0
    """The number of a run that has not ended, 0 where there is none."""
    waiting: int = 0
    """So many fires wait for it."""


def due(spec: ScheduleSpec, considered_at: float, now: float, since: float) -> tuple[tuple[Due, ...], Due | None]:
    """The fires after `considered_at` and not after `now`, the latest only, and the first of those left out."""
    if not next_fires(spec, considered_at, since=since):
        return (), None
    found = latest_fires(spec, considered_at, now, MADE_UP_MAX, since=since)
    all_due = tuple(at_time(at, now) for at in found)
    if len(found) < MADE_UP_MAX:
        return all_due, None
    first = next_fires(spec, considered_at, since=since)[0]
    return all_due, at_time(first, now) if first < found[0] else None


def at_time(at: float, now: float) -> Due:
    """The fire of a time."""
    return Due(f"{at:.0f}", at, late=now - at > LATE_S)


def decide(spec: ScheduleSpec, fire: Due, situation: Situation, *, latest: bool) -> tuple[FireOutcome, str]:
    """Whether a fire starts now (STARTED), waits or is left out, and why; `latest`: no later one is due."""
    if fire.late and spec.misfire is Misfire.SKIP:
        return FireOutcome.MISSED, "The service was off when it was due"
    if fire.late and spec.misfire is Misfire.ONCE and not latest:
        return FireOutcome.MISSED, "The service was off when it was due; one later run makes up for it"
    made_up = fire.late and spec.misfire is Misfire.ALL
    busy = bool(situation.going or situation.waiting)
    if not busy or (spec.overlap is Overlap.ALLOW and not made_up):
        return FireOutcome.STARTED, ""
    before = f"run {situation.going} goes on" if situation.going else "another fire waits"
    if not made_up and spec.overlap is not Overlap.QUEUE:
        return FireOutcome.SKIPPED, f"The schedule's {before}"
    if situation.waiting >= (MADE_UP_MAX if spec.misfire is Misfire.ALL else 1):
        return FireOutcome.SKIPPED, f"The schedule's {before}, and as many fires wait for its end as may"
    return FireOutcome.WAITING, f"The schedule's {before}"


def left_out(first: Due, kept: Due) -> str:
    """What is told of missed fires that are too many to be kept one by one."""
    assert first.due_at < kept.due_at
    return f"The service was off; this one stands for all before the latest {MADE_UP_MAX:,}, which are not made up for"


def parameters(spec: ScheduleSpec, version: int) -> dict[str, Any]:
    """A schedule's parameters for a run, with the data version that it starts for."""
    return with_version(spec.parameters, version) if spec.data else dict(spec.parameters)


def with_version(given: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Parameters whose texts name the new version as `{version}`, with its number."""
    return {
        name: value.replace(VERSION, str(version)) if isinstance(value, str) else value for name, value in given.items()
    }
