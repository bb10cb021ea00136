"""What takes turns by the day: a part of it each day, all of it in `make full`."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TypeVar

import pytest

T = TypeVar("T")

TODAY = datetime.now(UTC).date().toordinal()


def in_turn(values: Iterable[T], days: int, name: Callable[[T], str] = str) -> list[object]:
    """Parameters of a test: every so-many-th is today's, and the others' days are the next ones."""
    return [pytest.param(value, id=name(value), marks=other_day(at, days)) for at, value in enumerate(values)]


def other_day(at: int, days: int) -> list[pytest.MarkDecorator]:
    """Marks for what has the turn `at` of so many: none on its day."""
    return [] if at % days == TODAY % days else [pytest.mark.full]
