"""What an endpoint has still to forward: files of records, and how far each receiver has taken them and the log."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.durable import write_atomic

QUEUE = "forward"
"""The folder of an endpoint that holds its queue."""
LOG = "server.log"
CURSOR = "cursor.json"
KEPT_BYTES_MAX = 1_000_000_000
"""Above this the oldest files of an endpoint are given up: more than three million requests wait then."""


@dataclass
class Cursor:
    """How far one receiver has come with one endpoint."""

    taken: dict[str, int] = field(default_factory=dict)
    """Records of each file that it took not to its end; `DONE` where it has them all."""
    log: int | None = None
    """Bytes of the log; None: it has not been looked at."""


DONE = -1


class Queue:
    """One endpoint's queue, in the endpoint's folder."""

    def __init__(self, endpoint: Path) -> None:
        self.name, self.log = endpoint.name, endpoint / LOG
        self.folder = endpoint / QUEUE

    def files(self) -> tuple[Path, ...]:
        """The files of records, oldest first."""
        return tuple(sorted(self.folder.glob("*.jsonl"), key=_age))

    def cursors(self) -> dict[str, Cursor]:
        """How far each receiver has come. One that cannot be read is as none: what is sent again has the same ids."""
        try:
            told = json.loads((self.folder / CURSOR).read_bytes())
            return {name: Cursor(dict(one["taken"]), one["log"]) for name, one in told.items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}

    def save(self, cursors: Mapping[str, Cursor]) -> None:
        """Keep how far all have come; files that all have are removed first, so that none is forgotten half."""
        if not self.folder.parent.exists():
            return  # the endpoint was deleted meanwhile
        self.folder.mkdir(exist_ok=True, mode=0o700)
        told = {name: {"taken": cursor.taken, "log": cursor.log} for name, cursor in cursors.items()}
        write_atomic(self.folder / CURSOR, json.dumps(told).encode())

    def clear(self, cursors: Mapping[str, Cursor]) -> None:
        """Remove what every receiver has."""
        for path in self.files():
            if all(cursor.taken.get(path.name) == DONE for cursor in cursors.values()):
                path.unlink(missing_ok=True)
        left = {path.name for path in self.files()}
        for cursor in cursors.values():
            cursor.taken = {name: count for name, count in cursor.taken.items() if name in left}

    def shorten(self) -> int:
        """Give up the oldest files where too many wait; how many."""
        files = [(path, path.stat().st_size) for path in self.files()]
        total, dropped = sum(size for _, size in files), 0
        for path, size in files:
            if total <= KEPT_BYTES_MAX:
                break
            path.unlink(missing_ok=True)
            total, dropped = total - size, dropped + 1
        return dropped


def records(path: Path) -> list[dict[str, Any]]:
    """The records of a file; the torn last line of a server that died is none."""
    found = []
    for line in path.read_bytes().splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("at"), int | float):
            found.append(record)
    return found


def _age(path: Path) -> tuple[int, str]:
    """A segment's name says when it was opened: `seg-MILLISECONDS-PID-NUMBER`."""
    number = path.name.split("-")[1] if path.name.count("-") >= 3 else ""
    return (int(number) if number.isdecimal() else 0, path.name)
