"""Kept inputs: lines as the servers wrote them, in segments and, once merged, gzipped. They are read by whole files.

Lines, not columns: one line holds up to a request's 10,000 rows, and a table of such cells takes gigabytes to merge.
"""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from core.local.records import catalog

SUFFIX = ".jsonl.gz"
LEVEL = 1
"""Several times as fast as the default, for a tenth more bytes."""
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)


class Stamp(msgspec.Struct):
    """When a request began."""

    at: float


def newest(folder: Path) -> Iterator[bytes]:
    """The kept lines, the newest file first and each from its end; what cannot be read is left out and said once."""
    tries = 0
    left = catalog.look(folder).newest_first()
    done: set[str] = set()
    while left:
        path = left.pop(0)
        try:
            lines = list(whole_lines(path))
        except FileNotFoundError:  # closed or merged since it was listed
            tries += 1
            if tries < catalog.LOOKS:
                left = [found for found in catalog.look(folder).newest_first() if _stem(found) not in done]
            continue
        done.add(_stem(path))
        yield from reversed(lines)


def whole_lines(path: Path) -> Iterator[bytes]:
    """The lines that are complete, oldest first."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):  # a server may be writing its next line just now
                    yield line
    except DAMAGED as e:
        catalog.say_once(f"{path} cannot be read to its end: {e}")


def write(files: Sequence[Path], target: Path) -> tuple[float, float, int]:
    """All lines of these files in one; when the first and the last request began, and how many there are."""
    first, last, rows = float("inf"), float("-inf"), 0
    with gzip.open(target, "wb", LEVEL) as out:
        for path in files:
            for line in whole_lines(path):
                if (at := _began(line)) is not None:
                    first, last, rows = min(first, at), max(last, at), rows + 1
                    out.write(line)
    return (first, last, rows) if rows else (0.0, 0.0, 0)


def unreadable(files: Sequence[Path]) -> dict[Path, str]:
    """None: what of a file can be read is taken."""
    return {}


def _stem(path: Path) -> str:
    """A segment's name without what tells its state."""
    return path.name.partition(".")[0]


def _began(line: bytes) -> float | None:
    try:
        return msgspec.json.decode(line, type=Stamp).at
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
