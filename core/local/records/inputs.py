"""Kept inputs: lines as the servers wrote them, in segments and, once merged, gzipped. They are read by whole files.

Lines, not columns: one line holds up to a request's 10,000 rows, and a table of such cells takes gigabytes to merge.
"""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.local.records import catalog

SUFFIX = ".jsonl.gz"
LEVEL = 1
"""Several times as fast as the default, for a tenth more bytes."""
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)


class Stamp(msgspec.Struct):
    """When a request began."""

    at: float


class KeptRequest(msgspec.Struct, frozen=True):
    """One request of a client with its values, as `core.serving.keeping` wrote it.

    Rows that are kept are 0, `step`, 2 `step` and so on of the request's `rows`.
    """

    at: float
    request_id: str
    deployment: str
    columns: list[str]
    data: list[list[Any]]
    """One list a column, of the kept rows; None is a missing value."""
    method: str = "predict"
    reply: msgspec.Raw = msgspec.Raw(b"null")
    """What the client got, in the form that it asked in; null where not all rows are kept."""
    masked: list[str] = []
    """Columns that the model reads and of which nothing is kept: they are not in `columns`."""
    sample_pct: float = 100.0
    rows: int = -1
    """Of the request; -1: as many as are kept."""
    step: int = 1
    answers: list[Any] = []
    """What `predict` says of each kept row: a class, or a number. Empty where Slipway before 0.8 kept it."""
    scores: list[float] = []
    """The probability of the positive class, else of the answer, else the predicted number. Empty as above."""
    client_request_id: str = ""
    """What the client called the request; empty: nothing, or nothing that is known."""
    probabilities: list[list[float]] = []
    """Of all classes, a list a row, where there are more than two."""


def kept(
    folder: Path, since: float = float("-inf"), until: float = float("inf"), *, deployment: str = ""
) -> Iterator[KeptRequest]:
    """Kept requests that began in [since, until), about the newest first; of one deployment, or of all."""
    wanted = msgspec.json.encode(deployment) if deployment else b""
    for line in newest(folder, since, until):
        if wanted not in line:
            continue
        try:
            request = msgspec.json.decode(line, type=KeptRequest)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # another Slipway's, or nobody's
        if since <= request.at < until and deployment in ("", request.deployment):
            yield request


def newest(folder: Path, since: float = float("-inf"), until: float = float("inf")) -> Iterator[bytes]:
    """The kept lines, the newest file first and each from its end; what cannot be read is left out and said once.

    Files that surely hold nothing of [since, until) are left out.
    """
    tries = 0
    left = _found(folder, since, until)
    done: set[str] = set()
    while left:
        path = left.pop(0)
        try:
            lines = list(whole_lines(path))
        except FileNotFoundError:  # closed or merged since it was listed
            tries += 1
            if tries < catalog.LOOKS:
                left = [found for found in _found(folder, since, until) if _stem(found) not in done]
            continue
        done.add(_stem(path))
        yield from reversed(lines)


def _found(folder: Path, since: float, until: float) -> list[Path]:
    found = catalog.look(folder)
    within = set(found.within(since, until))
    return [path for path in found.newest_first() if path in within]


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
