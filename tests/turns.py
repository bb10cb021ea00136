"""What takes turns by the day: a part of it each day, all of it in `make full`."""

import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., object])

TODAY = datetime.now(UTC).date().toordinal()


def in_turn(values: Iterable[T], days: int, name: Callable[[T], str] = str) -> list[object]:
    """Parameters of a test: every so-many-th is today's, and the others' days are the next ones."""
    return [pytest.param(value, id=name(value), marks=other_day(at, days)) for at, value in enumerate(values)]


def sets_in_turn(sets: Iterable[tuple[object, ...]], days: int) -> list[object]:
    """The same where a test has several parameters."""
    return [pytest.param(*values, marks=other_day(at, days)) for at, values in enumerate(sets)]


def on_day(at: int, days: int) -> Callable[[F], F]:
    """Decorates a test that has the turn `at` of so many."""

    def marked(test: F) -> F:
        for mark in other_day(at, days):
            test = mark(test)
        return test

    return marked


def other_day(at: int, days: int) -> list[pytest.MarkDecorator]:
    """Marks for what has the turn `at` of so many: none on its day."""
    return [] if at % days == TODAY % days else [pytest.mark.full]


AZURE_DAYS = 3
"""The tests over the emulation of Azure take turns: all of them are two and a half minutes of two cores."""
WHOLE_LIFECYCLES = {
    ("lifecycle", "test_azure.py"): 0,
    ("browser", "test_azure.py"): 0,
    ("workspace", "test_from_table_to_answer.py"): 1,
    ("emulator", "test_exercise.py"): 2,
}
"""By command line and browser, through the interface, by the SDK alone: one of the three each day."""
BY_TEST = frozenset({("workspace", "test_behaviour.py"), ("workspace", "test_schedules.py")})
BY_HAND = ("cli", "test_azure.py")
"""Its tests say their days themselves: none has that of the browser's and the command line's lifecycle, the longest."""


def azure_turn(item: pytest.Item) -> int | None:
    """Which of the days a test over the emulation has; None for every day."""
    place = (item.path.parent.name, item.path.name)
    if place[0] == "workspace" and "[azure" not in item.name:
        return None
    if place in WHOLE_LIFECYCLES:
        return WHOLE_LIFECYCLES[place]
    if place in BY_TEST or item.path.parts[-3:-1] == ("contract_tests", "azure"):
        return zlib.crc32(item.name.encode()) % AZURE_DAYS
    if wholly_azure(item.path):
        return sorted(path.name for path in item.path.parent.glob("test_*.py")).index(item.path.name) % AZURE_DAYS
    return None


def asks_azure(item: pytest.Item) -> bool:
    """Whether a test asks the emulation of Azure for most of its time."""
    return azure_turn(item) is not None or (item.path.parent.name, item.path.name) == BY_HAND


MIXED_ROOM = ("tests", "workspace")
WHOLE_ROOMS = (("tests", "emulator"), ("tests", "azure"), ("contract_tests", "azure"))


def wholly_azure(path: Path) -> bool:
    """Whether a file lies where all tests ask the emulation, or are of it."""
    return path.parts[-3:-1] in WHOLE_ROOMS


def may_ask_azure(path: Path) -> bool:
    """Whether any test of a file does."""
    place, room = (path.parent.name, path.name), path.parts[-3:-1]
    return place in {*WHOLE_LIFECYCLES, BY_HAND} or wholly_azure(path) or room == MIXED_ROOM
