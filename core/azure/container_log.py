"""The log of a deployment's container, as Azure gives it: one text, from which people want the last traceback."""

import re
from datetime import UTC, datetime

from core.domain.job import LogLine

STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?(?:Z|\+00:00)?")
LEVEL = re.compile(r"\b(DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL)\b")
LETTER = re.compile(r"[\d.,Z]\s+([DIWEC])\s+(?:\[|\S+ - )")
"""How the inference server marks it: `2026-05-01 12:00:00,123 E [70] azmlinfsrv - ...`."""
HEAD = re.compile(r"^\d{4}-\d\d-\d\d[ T][\d:.,Z]+ [DIWEC] (?:\[\d+\] )?\S+ - ")
LETTERS = {"D": "debug", "I": "info", "W": "warning", "E": "error", "C": "critical"}
LEVELS = {"debug": 0, "info": 1, "warning": 2, "error": 3, "critical": 4}
TRACEBACK = "Traceback (most recent call last):"


def lines(text: str) -> tuple[LogLine, ...]:
    """Every line; one without a time has that of the line before, and a traceback is an error."""
    found: list[LogLine] = []
    at, level = 0.0, "info"
    for raw in text.splitlines():
        if stamp := STAMP.search(raw[:60]):
            at, level = _seconds(stamp), _level(raw)
        elif TRACEBACK in raw:
            level = "error"
        found.append(LogLine(at, level, raw))
    return tuple(found)


def last_traceback(text: str) -> str:
    """The last traceback in a log, with the line of its error; empty where there is none."""
    all_lines = text.splitlines()
    begins = [at for at, line in enumerate(all_lines) if TRACEBACK in line]
    if not begins:
        return ""
    first = begins[-1]
    before = all_lines[first].partition(TRACEBACK)[0]
    indent = "" if before.strip() else before
    kept = [TRACEBACK]
    for line in all_lines[first + 1 :]:
        rest = HEAD.sub("", line).removeprefix(indent)
        kept.append(rest.rstrip())
        if rest[:1].strip():  # the first line that is not set in is the error's own
            break
    return "\n".join(kept)


def cause(text: str) -> str:
    """The line that says why: of the last traceback, else the last error; empty where neither stands there."""
    if found := last_traceback(text):
        return found.splitlines()[-1]
    errors = [line.text.strip() for line in lines(text) if LEVELS.get(line.level, 1) >= LEVELS["error"]]
    return errors[-1] if errors else ""


def _seconds(stamp: re.Match[str]) -> float:
    day, time, fraction = stamp.groups()
    at = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC).timestamp()
    return at + float(f"0.{fraction}") if fraction else at


def _level(line: str) -> str:
    if letter := LETTER.search(line[:60]):
        return LETTERS[letter[1]]
    word = LEVEL.search(line[:80])
    return {"warn": "warning"}.get(word[1].lower(), word[1].lower()) if word else "info"
