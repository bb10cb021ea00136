"""An endpoint's segments made into few files, by the hour and then by the day, and removed when old or too many.

One process does it. Each step leaves the folder such that readers count every request once: a merged file is written
under another name, is on the disk before the index names it, and what it holds is removed after that. Whatever a crash
left between two steps is tidied at the beginning of the next round.
"""

import logging
import os
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import duckdb
from msgspec.structs import replace

from core.domain.errors import ServiceUnavailable, SpecInvalid
from core.durable import fsync, storage_error
from core.local.records import catalog, inputs, minutes, requests
from core.local.records.catalog import Index, Merged, Segment

log = logging.getLogger(__name__)


class Sized(Protocol):
    """A segment or a merged file."""

    @property
    def size_bytes(self) -> int: ...


T = TypeVar("T", bound=Sized)

PERIODS_S = (120, 1200, 3600, 86_400)
"""When a period is over, what there is of it is merged: some tens of files are there at any moment."""
HOUR_S, DAY_S = 3600, 86_400
SEGMENTS_MAX, SEGMENT_BYTES_MAX = 500, 256_000_000
"""Merged at once at the most: what a long time without the service left is taken in parts."""
SHARE_MAX = 16
"""No merged file is more than this part of what may be kept, for the oldest is removed as a whole."""
DAMAGED = ".damaged"
FUTURE_S = 3600.0


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of record is merged. `write` gives the first and last time and the number of what it wrote."""

    suffix: str
    write: Callable[[Sequence[Path], Path], tuple[float, float, int]]
    unreadable: Callable[[Sequence[Path]], dict[Path, str]]
    file_bytes_max: int
    sum_up: Callable[[Path, Path], None] | None = None
    """Writes what is kept beside a merged file, at `minutes.beside`."""


REQUESTS = Kind(requests.SUFFIX, requests.write_parquet, requests.unreadable, 128_000_000, minutes.write)
INPUTS = Kind(inputs.SUFFIX, inputs.write, inputs.unreadable, 8_000_000)
"""Read as a whole, so smaller."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long and how much of one folder is kept."""

    max_days: float = 30.0
    max_mb: float = 2000.0

    def __post_init__(self) -> None:
        if not (self.max_days > 0 and self.max_mb > 0):
            raise SpecInvalid(
                f"Records are kept for more than 0 days and 0 MB, got {self.max_days:g} days and {self.max_mb:g} MB",
                hint="See SLIPWAY_RECORDS_MAX_DAYS and SLIPWAY_RECORDS_MAX_MB",
            )


KEEP = Keep()


def no_step(name: str) -> None:
    """Where a test dies."""


class Merging:
    """One round over one folder. `step` hears the name of each step that is done."""

    def __init__(
        self, folder: Path, kind: Kind, *, now: float, keep: Keep = KEEP, step: Callable[[str], None] = no_step
    ) -> None:
        self._folder, self._kind, self._now, self._keep, self._step = folder, kind, now, keep, step
        self._index = Index()
        self._bytes_max = min(kind.file_bytes_max, int(keep.max_mb * 1e6 / SHARE_MAX))

    def run(
        self,
        *,
        alive: Callable[[Segment], bool],
        ready: Callable[[Segment], bool] = lambda segment: True,
        stopping: Callable[[], bool] = lambda: False,
    ) -> int:
        """Tidy, remove what is too old, merge finished segments, merge files; how many segments were taken.

        Finished means closed, or left open by a server that is not `alive` any more. One that is not `ready` stays for
        a later round. Raises StorageFull, ServiceUnavailable; what was done until then stays done.
        """
        if not self._folder.is_dir():
            return 0
        self._tidy()
        taken = 0
        found = catalog.look(self._folder).segments
        finished = [s for s in found if not (s.still_open and alive(s)) and ready(s)]
        for part in _parts(finished, lambda s: int(s.opened // HOUR_S), SEGMENT_BYTES_MAX, SEGMENTS_MAX):
            if stopping():
                return taken
            taken += len(part) if self._take(part) else 0
        for period_s in PERIODS_S:
            self._merge_over(period_s, stopping)
        self._renew()
        return taken

    # What a crash left, and what is too old

    def _tidy(self) -> None:
        before = catalog.read_index(self._folder)
        names = frozenset(os.listdir(self._folder))
        self._index = before or catalog.rebuilt(self._folder, names)
        known = {file.name for file in self._index.files}
        for name in names:
            if _half_made(name) or (catalog.MERGED.fullmatch(name) and name not in known):
                self._remove(name)
        for path in self._folder.glob(f"*{minutes.SUFFIX}"):
            if path not in {minutes.beside(self._folder / name) for name in known}:
                self._remove(path.name)
        self._remove_segments(self._index.absorbed)
        self._step("tidied")
        kept = self._kept(file for file in self._index.files if file.name in names)
        self._index = Index(tuple(kept))
        if before is None or (before.files, before.absorbed) != (self._index.files, frozenset()):
            catalog.write_index(self._folder, self._index)
        self._step("tidy")

    def _kept(self, files: Iterable[Merged]) -> list[Merged]:
        """What is neither too old nor too much; the rest is removed, first of all, for the disk may be full."""
        kept = sorted(files, key=lambda file: file.ends)
        size = sum(file.size_bytes for file in kept) + sum(s.size_bytes for s in catalog.look(self._folder).segments)
        while kept and (kept[0].ends < self._now - self._keep.max_days * DAY_S or size > self._keep.max_mb * 1e6):
            oldest = kept.pop(0)
            size -= oldest.size_bytes
            self._remove(oldest.name)
            self._step("removed")
        for path in self._folder.glob(f"*{DAMAGED}"):
            if path.stat().st_mtime < self._now - self._keep.max_days * DAY_S:
                self._remove(path.name)
        return sorted(kept, key=lambda file: (file.first, file.name))

    # Merging

    def _take(self, segments: Sequence[Segment]) -> bool:
        stems = frozenset(segment.stem for segment in segments)
        return self._merge([segment.path for segment in segments], period_s=0, absorbed=stems)

    def _merge_over(self, period_s: int, stopping: Callable[[], bool]) -> None:
        """Merge what there is of each period of this length that is over."""
        over = [f for f in self._index.files if f.period_s <= period_s and self._is_over(f, period_s)]
        over.sort(key=lambda file: (file.first, file.name))
        for part in _parts(over, lambda file: int(file.ends // period_s), self._bytes_max, SEGMENTS_MAX):
            if len(part) < 2 or all(file.period_s == period_s for file in part):
                continue
            if stopping():
                return
            self._merge([self._folder / file.name for file in part], period_s=period_s, instead_of=part)

    def _renew(self) -> None:
        """Write one file anew that an earlier Slipway has written, or whose sums are missing; one a round."""
        for file in self._index.files if self._kind.sum_up is not None else ():
            path = self._folder / file.name
            if not file.name.endswith(self._kind.suffix) or not minutes.beside(path).exists():
                self._merge([path], period_s=file.period_s, instead_of=(file,))
                return

    def _is_over(self, file: Merged, period_s: int) -> bool:
        return (file.ends // period_s + 1) * period_s <= self._now

    def _merge(
        self,
        paths: Sequence[Path],
        *,
        period_s: int,
        absorbed: frozenset[str] = frozenset(),
        instead_of: Sequence[Merged] = (),
    ) -> bool:
        """One file of many; False where some of them are damaged, and now out of the way."""
        growing = self._folder / f".rec-{secrets.token_hex(4)}{self._kind.suffix}"
        sums = minutes.beside(growing)
        try:
            first, last, rows = self._kind.write(paths, growing)
            if self._kind.sum_up is not None:
                self._kind.sum_up(growing, sums)
            for made_file in (growing, sums):
                if made_file.exists():
                    made_file.chmod(0o600)
                    fsync(made_file)
        except (OSError, duckdb.Error) as e:
            _unlink(growing, sums)
            self._not_written(paths, e)
            return False
        if rows < sum(file.rows for file in instead_of):
            _unlink(growing, sums)
            raise ServiceUnavailable(
                f"Merging {len(paths)} files of {self._folder} lost requests; they stay as they are"
            )
        self._step("written")
        made = self._named(growing, first, last, rows, period_s, instead_of) if rows else ()
        _unlink(growing, sums)
        self._step("named")
        gone = {file.name for file in instead_of}
        files = (*(file for file in self._index.files if file.name not in gone), *made)
        index = replace(self._index, files=files, absorbed=self._index.absorbed | absorbed)
        catalog.write_index(self._folder, index)
        self._index = index
        self._step("indexed")
        for name in gone:
            self._remove(name)
            self._step("one removed")
        self._remove_segments(absorbed)
        self._step("merged")
        return True

    def _named(
        self, growing: Path, first: float, last: float, rows: int, period_s: int, instead_of: Sequence[Merged]
    ) -> tuple[Merged, ...]:
        if last > self._now + FUTURE_S:
            catalog.say_once(f"Some requests in {self._folder} are from the future: a clock was wrong")
        ends = max((file.ends for file in instead_of), default=min(last, self._now))
        path = self._folder / catalog.merged_name(first, last, secrets.randbits(32), self._kind.suffix)
        size = growing.stat().st_size
        if (sums := minutes.beside(growing)).exists():
            size += sums.stat().st_size
            os.replace(sums, minutes.beside(path))
        os.replace(growing, path)
        fsync(self._folder)
        return (Merged(path.name, first, last, ends, period_s, rows, size),)

    def _not_written(self, paths: Sequence[Path], error: Exception) -> None:
        """Put damaged files out of the way. Raises StorageFull, ServiceUnavailable where none is to blame."""
        damaged = self._kind.unreadable(paths)
        gone = {path.name for path in paths if not path.exists()}
        for path, reason in damaged.items():
            path.rename(path.with_name(path.name + DAMAGED))
            log.warning("%s cannot be read and is put aside as %s%s: %s", path, path.name, DAMAGED, reason)
        if not damaged and not gone:
            if isinstance(error, OSError):
                raise storage_error(error, f"merge telemetry in {self._folder}") from error
            raise ServiceUnavailable(f"Telemetry in {self._folder} cannot be merged: {error}") from error
        out = {path.name for path in damaged} | gone
        self._index = replace(self._index, files=tuple(file for file in self._index.files if file.name not in out))

    # Removing

    def _remove(self, name: str) -> None:
        path = self._folder / name
        _unlink(path, *([minutes.beside(path)] if catalog.MERGED.fullmatch(name) else []))

    def _remove_segments(self, stems: frozenset[str]) -> None:
        for stem in stems:
            for form in catalog.FORMS:
                self._remove(f"{stem}.{form}")


def _unlink(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _half_made(name: str) -> bool:
    return name.startswith((".rec-", f".{catalog.INDEX}."))


def _parts(items: Iterable[T], group: Callable[[T], int], bytes_max: int, count_max: int) -> list[list[T]]:
    """Items of one group together, in their order, in parts of at most so many bytes and items."""
    groups: dict[int, list[T]] = defaultdict(list)
    for item in items:
        groups[group(item)].append(item)
    parts: list[list[T]] = []
    for _, members in sorted(groups.items()):
        size, parts = 0, [*parts, []]
        for item in members:
            if parts[-1] and (size + item.size_bytes > bytes_max or len(parts[-1]) == count_max):
                size, parts = 0, [*parts, []]
            size += item.size_bytes
            parts[-1].append(item)
    return parts
