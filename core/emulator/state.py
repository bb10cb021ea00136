"""What the emulation remembers: one JSON document under each key, in a folder that outlives it.

Keys are compared without their case, as Azure compares ids. Everything is read once at the start; a change is on the
disk before it is answered.
"""

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.emulator.messages import Document


@dataclass(frozen=True, slots=True)
class _Record:
    """One file: `number` grows with every new key, so that the order in which things were made outlives a restart."""

    key: str
    document: Document
    number: int


class State:
    """Documents by key. Safe for many threads; one process has a folder to itself (`server` sees to that)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "documents"
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.RLock()
        self._kept: dict[str, _Record] = {}
        found = (_Record(**json.loads(path.read_bytes())) for path in self._folder.glob("*.json"))
        for record in sorted(found, key=lambda record: record.number):
            self._kept[record.key.lower()] = record
        self._next = max((record.number for record in self._kept.values()), default=0) + 1

    @property
    def lock(self) -> threading.RLock:
        """Held by whoever reads, thinks and writes, so that two at once end as one after the other would."""
        return self._lock

    def get(self, key: str, default: Any = None) -> Any:
        """A copy of the document under a key, or the default."""
        with self._lock:
            found = self._kept.get(key.lower())
            return deepcopy(found.document) if found else default

    def put(self, key: str, document: Document) -> None:
        """Keep a document; the spelling of the key that came first stays."""
        with self._lock:
            before = self._kept.get(key.lower()) or _Record(key, {}, self._next)
            record = replace(before, document=deepcopy(document))
            path = self._path(key)
            draft = path.with_suffix(".draft")
            with draft.open("w") as file:
                json.dump(asdict(record), file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            self._kept[key.lower()] = record
            self._next = max(self._next, record.number + 1)

    def hold(self, key: str, document: Document) -> None:
        """Know a document until the end of this process, where none is kept: such as what every start makes anew."""
        with self._lock:
            self._kept.setdefault(key.lower(), _Record(key, deepcopy(document), 0))

    def delete(self, key: str) -> bool:
        """Whether there was something to forget."""
        with self._lock:
            if key.lower() not in self._kept:
                return False
            self._path(key).unlink(missing_ok=True)
            del self._kept[key.lower()]
            return True

    def below(self, prefix: str) -> Iterator[tuple[str, Document]]:
        """Every (key, copy of its document) whose key begins with the prefix, the oldest first."""
        with self._lock:
            found = [
                (record.key, deepcopy(record.document))
                for key, record in self._kept.items()
                if key.startswith(prefix.lower())
            ]
        yield from found

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.lower().encode()).hexdigest()[:40]}.json"
