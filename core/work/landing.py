"""What a running gate tells: a file of lines, each a check that has landed or the parts that are over."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.domain.proof import CheckResult, GateProgress


class Over(msgspec.Struct, tag_field="line", tag="over"):
    """Parts of which nothing more will be judged."""

    parts: tuple[str, ...]


FILE = "progress.jsonl"
OVER = b'{"line":"over"'
"""How such a line begins; every other is a check."""


def land(file: Path, check: CheckResult) -> None:
    """Add a check."""
    _add(file, msgspec.json.encode(check))


def end(file: Path, parts: Sequence[str]) -> None:
    """Say that these parts are over."""
    _add(file, msgspec.json.encode(Over(tuple(parts))))


def read(file: Path) -> GateProgress:
    """What was told so far; nothing where there is no file."""
    try:
        written = file.read_bytes()
    except FileNotFoundError:
        return GateProgress()
    whole = written[: written.rfind(b"\n") + 1].splitlines()  # the gate may be writing its next line just now
    checks = tuple(msgspec.json.decode(line, type=CheckResult) for line in whole if not line.startswith(OVER))
    ends = (msgspec.json.decode(line, type=Over) for line in whole if line.startswith(OVER))
    return GateProgress(checks, tuple(part for end in ends for part in end.parts))


def _add(file: Path, line: bytes) -> None:
    with file.open("ab") as opened:
        opened.write(line + b"\n")
