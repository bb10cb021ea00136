"""Time zones: what the clock on the wall shows at a moment, when it shows a time, and when it is put forward or back.

Wall times are datetimes without a zone, moments are seconds since the epoch. Nothing here adds to a datetime that has a
zone: Python then moves the clock's hands and not the time.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.domain.errors import SpecInvalid

DAY_S = 86_400.0
"""No zone puts its clock forward and back within a day."""


def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises SpecInvalid."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as e:  # OSError: a folder of the database, such as Europe
        raise SpecInvalid(f"There is no time zone '{name}'", hint="An IANA name, e.g. Europe/Berlin") from e


def offset_at(zone: ZoneInfo, at: float) -> timedelta:
    """How far the clock is before UTC at a moment."""
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    assert offset is not None
    return offset


def wall_at(zone: ZoneInfo, at: float) -> datetime:
    """What the clock shows at a moment."""
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None)


def moment_with(wall: datetime, offset: timedelta) -> float:
    """When a clock shows a time that is so far before UTC."""
    return (wall - offset).replace(tzinfo=UTC).timestamp()


def moment(zone: ZoneInfo, wall: datetime, *, last: bool = False) -> float:
    """When the clock first shows a time, or last where that differs; a time that it jumps over: when it jumps."""
    at = wall.replace(tzinfo=zone, fold=int(last)).timestamp()
    if wall_at(zone, at) == wall:
        return at
    # PEP 495: in a gap `fold` tells which of both offsets is taken, and the two moments lie around the jump.
    around = sorted(wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    jump = next_change(zone, *around)
    assert jump is not None
    return jump


def next_change(zone: ZoneInfo, after: float, until: float) -> float | None:
    """The first moment after `after`, and not after `until`, from which on the clock has another offset."""
    offset, low = offset_at(zone, after), after
    while low < until:
        high = min(low + DAY_S, until)
        if offset_at(zone, high) != offset:
            return _first(zone, offset, low, high)
        low = high
    return None


def _first(zone: ZoneInfo, offset: timedelta, low: float, high: float) -> float:
    """The whole second in `(low, high]` at which the offset changes."""
    same, other = int(low), int(high)
    while other - same > 1:
        middle = (same + other) // 2
        if offset_at(zone, middle) == offset:
            same = middle
        else:
            other = middle
    return float(other)
