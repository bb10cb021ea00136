"""A log that is followed: each line once, in order, until whoever writes it has ended."""

import json
from argparse import Namespace

import pytest

from core.cli.command import Context
from core.cli.tail import told
from core.domain.job import LogLine
from core.settings import read_settings

LINES = tuple(LogLine(1_000.0 + at, "out", f"line {at}") for at in range(6))


def follow(shown: list[int], **options: object) -> object:
    """Look at a log that has this many lines at each look, and has ended at the last."""
    looks = iter(shown)
    now = [0]

    def over() -> bool:
        now[0] = next(looks)
        return now[0] == shown[-1]

    def look(limit: int) -> tuple[LogLine, ...]:
        return LINES[: now[0]][-limit:]

    context = Context(read_settings({}), {}, sleep=lambda _: None)
    return told(context, Namespace(limit=2, json=True, follow=True, **options), look, over)


def test_lines_are_told_once_as_they_come_until_the_step_has_ended(capsys: pytest.CaptureFixture[str]) -> None:
    assert follow([0, 1, 1, 3, 6]) is None
    told_lines = [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()]
    assert told_lines == [line.text for line in LINES]


def test_the_beginning_is_as_long_as_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    follow([4, 6])
    told_lines = [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()]
    assert told_lines == ["line 2", "line 3", "line 4", "line 5"]
