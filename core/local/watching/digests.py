"""What is computed of kept inputs, file by file: a file that is merged is read once, and what was found of it is kept.

Merged files never change. Segments do: what was found of one is held in memory while it stays as large as it was.
"""

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from core.domain.errors import SlipwayError
from core.durable import write_atomic
from core.local.records import catalog, inputs

HELD = 400
FORMAT = 1

T = TypeVar("T")


class Digests(Generic[T]):
    """One kind of finding. `suffix` names its files; `write` and `read` are its bytes, which raise ValueError."""

    def __init__(
        self, suffix: str, write: Callable[[T], bytes], read: Callable[[bytes], T], *, held: int = HELD
    ) -> None:
        """`held` of the latest findings stay in memory."""
        self._most = held
        self._suffix, self._write, self._read = f".{suffix}.v{FORMAT}", write, read
        self._held: OrderedDict[tuple[str, int], T] = OrderedDict()
        self._one = threading.RLock()

    def of(self, folder: Path, kept: Path, since: float, until: float, find: Callable[[Sequence[bytes]], T]) -> list[T]:
        """What `find` makes of the lines of each file of `folder` that may hold requests of [since, until).

        Findings of merged files lie in `kept`.
        """
        for _ in range(catalog.LOOKS):
            found = catalog.look(folder)
            try:
                with self._one:
                    made = [self._found(path, kept, find) for path in found.within(since, until)]
                break
            except FileNotFoundError:  # merged meanwhile, or too old: what is there now counts
                continue
        else:
            made = []
        self._tidy(kept, {file.name for file in found.merged})
        return made

    def _found(self, path: Path, kept: Path, find: Callable[[Sequence[bytes]], T]) -> T:
        key = (str(path), path.stat().st_size)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        lasting = catalog.MERGED.fullmatch(path.name) is not None
        place = kept / f"{path.name}{self._suffix}"
        made = self._earlier(place) if lasting else None
        if made is None:
            made = find(list(inputs.whole_lines(path)))
            if lasting:
                with suppress(OSError, SlipwayError):  # it is computed again
                    write_atomic(place, self._write(made))
        self._held[key] = made
        while len(self._held) > self._most:
            self._held.popitem(last=False)
        return made

    def _earlier(self, place: Path) -> T | None:
        try:
            return self._read(place.read_bytes())
        except (OSError, ValueError):
            return None

    def _tidy(self, kept: Path, merged: set[str]) -> None:
        """Remove what was found of files that are gone, whatever found it."""
        try:
            names = os.listdir(kept)
        except FileNotFoundError:
            return
        for name in names:
            source, suffix, _ = name.partition(inputs.SUFFIX)
            if source + suffix not in merged and not name.startswith("."):
                (kept / name).unlink(missing_ok=True)


def key_of(*parts: object) -> str:
    """A short name for what a finding depends on."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:12]
