"""An endpoint's folder of records: what its servers wrote, what was merged of it, and the index that says what counts.

Servers write segments, `seg-{epoch ms}-{pid}-{n}.jsonl`, with `.open` behind it while they still do, and `.sent` before
`.jsonl` once a collector has them. `merging` makes files of them, `rec-{first ms}-{last ms}-{id}`, whose name tells
when the first and the last of its requests began. The index names the merged files that count and the segments that
they hold; it is replaced as a whole. So whoever dies between two steps leaves only files that readers pass over, and a
reader counts each request once whatever it comes upon. Slipway 0.1 wrote `seg-….parquet`, one a segment: it counts as
one.
"""

import logging
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.durable import write_atomic

log = logging.getLogger(__name__)

FORMAT = 1
INDEX = "index.json"
SEGMENT = re.compile(r"(seg-(-?\d{1,15})-(\d+)-\d+)(?:\.(parquet|sent\.jsonl|jsonl|jsonl\.open))")
FORMS = ("parquet", "sent.jsonl", "jsonl", "jsonl.open")
"""Later ones are made earlier."""
MERGED = re.compile(r"rec-(-?\d{1,15})-(-?\d{1,15})-[0-9a-f]{8}\.(?:(?:2\.)?parquet|jsonl\.gz)")
SLACK_S = 600.0
"""A request may have begun so long before its segment was opened, or a clock been so far off when it was closed."""
LOOKS = 5
"""A folder that changes while it is looked at is looked at again."""


class Merged(msgspec.Struct, frozen=True):
    """A file of many segments. Times are in seconds since the epoch."""

    name: str
    first: float
    last: float
    """When its first and its last request began, by the clocks of their servers."""
    ends: float
    """Its age counts from here: `last`, or when it was written where that is earlier, as with a clock gone wrong."""
    period_s: int
    """It holds what there was of a period of this length; 0: of some segments."""
    rows: int
    size_bytes: int


class Index(msgspec.Struct, frozen=True):
    """What counts besides the segments: merged files, oldest first, and segments (by stem) that these hold already."""

    files: tuple[Merged, ...] = ()
    absorbed: frozenset[str] = frozenset()
    format: int = FORMAT


class Segment(NamedTuple):
    """What a server wrote, still as it wrote it (or as Slipway 0.1 compacted it)."""

    path: Path
    stem: str
    opened: float
    written: float
    """The last write."""
    pid: int
    size_bytes: int

    @property
    def still_open(self) -> bool:
        return self.path.suffix == ".open"

    @property
    def first(self) -> float:
        """No request in it began earlier."""
        return min(self.opened, self.written) - SLACK_S

    @property
    def last(self) -> float:
        return max(self.opened, self.written) + SLACK_S


@dataclass(frozen=True, slots=True)
class Found:
    """A folder at one moment: every request is in exactly one of these files."""

    folder: Path
    segments: tuple[Segment, ...]
    merged: tuple[Merged, ...]

    def within(self, since: float, until: float) -> list[Path]:
        """The files that may hold requests of [since, until), the oldest first."""
        files = [(f.first, self.folder / f.name) for f in self.merged if f.last >= since and f.first < until]
        files += [(s.first, s.path) for s in self.segments if s.last >= since and s.first < until]
        return [path for _, path in sorted(files)]

    def newest_first(self) -> list[Path]:
        """All files, by when the last request in each began, as far as is known without opening them."""
        files = [(f.last, self.folder / f.name) for f in self.merged] + [(s.opened, s.path) for s in self.segments]
        return [path for _, path in sorted(files, reverse=True)]

    @property
    def newest(self) -> float:
        """About when the last request began; minus infinity in an empty folder."""
        return max([f.last for f in self.merged] + [s.written for s in self.segments], default=-math.inf)

    @property
    def begun(self) -> float | None:
        """About when the first request began that is still here, to the second; None in an empty folder."""
        begun = [f.first for f in self.merged] + [s.opened for s in self.segments]
        return math.floor(min(begun)) if begun else None

    @property
    def oldest(self) -> float:
        """No request began earlier."""
        return min([f.first for f in self.merged] + [s.first for s in self.segments], default=math.inf)


def look(folder: Path) -> Found:
    """What counts in a folder just now; nothing where there is no folder.

    Names and index are read again until they stay the same: a name that changes while a folder is read may be missed.
    """
    for _ in range(LOOKS):
        seen = _names(folder), read_index(folder)
        if seen == (_names(folder), read_index(folder)):
            break
    names, index = seen
    merged = (index or rebuilt(folder, names)).files
    absorbed = index.absorbed if index else frozenset()
    here = tuple(f for f in merged if f.name in names)  # one that is gone was removed as too old, or by somebody
    return Found(folder, tuple(_segments(folder, names, absorbed)), here)


def read_index(folder: Path) -> Index | None:
    """None where there is none, or none that can be read."""
    try:
        index = msgspec.json.decode((folder / INDEX).read_bytes(), type=Index)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as e:
        say_once(f"The index of {folder} cannot be read and is made anew: {e}")
        return None
    return index if index.format == FORMAT else None


def write_index(folder: Path, index: Index) -> None:
    """Raises StorageFull; the index is then what it was."""
    files = tuple(sorted(index.files, key=lambda file: (file.first, file.name)))
    write_atomic(folder / INDEX, msgspec.json.encode(Index(files, index.absorbed)))


def rebuilt(folder: Path, names: frozenset[str]) -> Index:
    """An index of all merged files that are there, from their names."""
    files = []
    for name in names:
        if known := MERGED.fullmatch(name):
            first, last = int(known[1]) / 1000, int(known[2]) / 1000
            try:
                stat = (folder / name).stat()
            except FileNotFoundError:
                continue
            files.append(Merged(name, first, last, min(last, stat.st_mtime), 0, -1, stat.st_size))
    return Index(tuple(files))


def merged_name(first: float, last: float, number: int, suffix: str) -> str:
    return f"rec-{math.floor(first * 1000)}-{math.ceil(last * 1000)}-{number:08x}{suffix}"


_said: set[str] = set()


def say_once(text: str) -> None:
    """Log what is wrong with a file: it stays so, and every later look would tell it again."""
    if text not in _said:
        _said.add(text)
        log.warning("%s", text)


def _names(folder: Path) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except FileNotFoundError:
        return frozenset()


def _segments(folder: Path, names: frozenset[str], absorbed: frozenset[str]) -> Iterator[Segment]:
    """One for each stem: where a crash left a segment in two forms, the one that was made of the other."""
    found: dict[str, re.Match[str]] = {}
    for name in names:
        if (known := SEGMENT.fullmatch(name)) and known[1] not in absorbed:
            other = found.get(known[1])
            if other is None or FORMS.index(known[4]) < FORMS.index(other[4]):
                found[known[1]] = known
    for stem, known in sorted(found.items(), key=lambda item: (int(item[1][2]), item[0])):
        path = folder / known[0]
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue
        yield Segment(path, stem, int(known[2]) / 1000, stat.st_mtime, int(known[3]), stat.st_size)


def sent(segment: Path) -> bool:
    """Whether a collector has what is in it."""
    return ".sent." in segment.name


def as_sent(segment: Path) -> Path:
    """Its name once a collector has it."""
    return segment.with_name(f"{segment.name.partition('.')[0]}.sent.jsonl")
