"""Reading log files that other processes append to."""

from pathlib import Path

import msgspec

from core.domain.job import LogLine

TAIL_BYTES_PER_LINE = 1024
"""More than a request's line needs (about 300 bytes): so much of the file's end is read per line asked for."""


def server_log(path: Path, limit: int) -> tuple[LogLine, ...]:
    """The last `limit` lines of a scoring server's log, oldest first; a line that is not JSON is text."""
    if not path.exists():
        return ()
    with path.open("rb") as file:
        file.seek(0, 2)
        start = max(0, file.tell() - limit * TAIL_BYTES_PER_LINE)
        file.seek(start)
        lines = file.read().splitlines()
    return tuple(_line(raw) for raw in lines[1 if start else 0 :][-limit:])


def _line(raw: bytes) -> LogLine:
    try:
        entry = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        entry = None
    if not isinstance(entry, dict):
        return LogLine(0.0, "error" if b"Error" in raw else "info", raw.decode("utf-8", "replace"))
    at = entry.pop("at", 0.0)
    status = entry.get("status", 0)
    level = entry.pop("level", "error" if status >= 500 else "warning" if status >= 400 else "info")
    text = entry.pop("text", "") or " ".join(f"{key}={value}" for key, value in entry.items())
    return LogLine(at, level, text)
