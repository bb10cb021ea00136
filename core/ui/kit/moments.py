"""Moments in another clock than this machine's."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.ui.kit.words import DASH


def there(at: float | None, timezone: str) -> str:
    """When, in a time zone: `Mon 30 Nov 2026, 06:00 CET`."""
    if at is None:
        return DASH
    moment = datetime.fromtimestamp(at, _zone(timezone))
    return f"{moment:%a} {moment.day} {moment:%b %Y, %H:%M %Z}"


def soon(at: float | None, timezone: str) -> str:
    """A moment within a year, in a time zone: `Mon 30 Nov, 06:00 CET`."""
    if at is None:
        return DASH
    moment = datetime.fromtimestamp(at, _zone(timezone))
    return f"{moment:%a} {moment.day} {moment:%b, %H:%M %Z}"


def _zone(name: str) -> ZoneInfo:
    """The time zone of that name; UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(str(UTC))
