"""Reading log files that other processes append to, and keeping them from growing for ever."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from core.domain.job import LogLine
from core.local.machine import processes

BLOCK_BYTES = 256 * 1024
SEARCHED_BYTES_MAX = 64 * 1024 * 1024
"""A filter that finds nothing gives up here: some 200,000 requests back."""
LOG_BYTES_MAX = 50 * 1024 * 1024
"""A log that has grown to this is set aside as `NAME.1`, in the place of the one before."""

FIRST = ("status", "deployment", "rows", "elapsed_ms", "problem", "request_id")
"""What people look for in a request's line."""

LEVELS = {"debug": 0, "info": 1, "warning": 2, "error": 3, "critical": 4}


def server_log(path: Path, limit: int, *, level: str = "", request_id: str = "") -> tuple[LogLine, ...]:
    """The last `limit` lines of a scoring server's log that match, oldest first; a line that is not JSON is text."""
    found: list[LogLine] = []
    for raw in _backwards(path):
        line, ids = _line(raw)
        if LEVELS.get(line.level, 1) >= LEVELS.get(level, 0) and (not request_id or request_id in ids):
            found.append(line)
            if len(found) >= limit:
                break
    return tuple(reversed(found))


def job_log(path: Path, limit: int = 0) -> tuple[LogLine, ...]:
    """The last `limit` lines of a job's log (0: all), oldest first; one that is being written just now is left out."""
    found: list[LogLine] = []
    for raw in _backwards(path):
        with suppress(msgspec.DecodeError):
            found.append(msgspec.json.decode(raw, type=LogLine))
            if len(found) == limit:
                break
    return tuple(reversed(found))


def last_words(path: Path) -> str:
    """The last line of a log, where it tells why its writer ended: none of a request, nor of what goes well."""
    said = processes.last_line(path)
    try:
        entry = msgspec.json.decode(said)
    except msgspec.DecodeError:
        return said
    if not isinstance(entry, dict):
        return said
    if isinstance(error := entry.get("error"), dict):
        return str(error.get("message", ""))
    if entry.get("level") not in ("error", "critical"):
        return ""
    return ": ".join(str(entry[name]) for name in ("event", "error") if entry.get(name))


def rotate(path: Path, max_bytes: int = LOG_BYTES_MAX) -> None:
    """Set a log aside that has grown too large; its writer goes on in the emptied file, which it appends to."""
    if path.exists() and path.stat().st_size > max_bytes:
        aside = path.with_name(f"{path.name}.1")
        shutil.copyfile(path, aside.with_suffix(".tmp"))
        aside.with_suffix(".tmp").replace(aside)
        os.truncate(path, 0)


def _backwards(path: Path) -> Iterator[bytes]:
    """The whole lines of a file, last first, and of the one that was set aside before it; read a block at a time."""
    searched = 0
    for file_path in (path, path.with_name(f"{path.name}.1")):
        if not file_path.exists():
            continue
        with file_path.open("rb") as file:
            end, rest = file.seek(0, os.SEEK_END), b""
            while end > 0 and searched < SEARCHED_BYTES_MAX:
                start = max(0, end - BLOCK_BYTES)
                file.seek(start)
                first, *lines = (file.read(end - start) + rest).split(b"\n")
                searched, end, rest = searched + end - start, start, first
                yield from (line for line in reversed(lines) if line)
            if rest and end == 0:
                yield rest


def _line(raw: bytes) -> tuple[LogLine, tuple[str, ...]]:
    """A line as people read it, and the request ids that it is about."""
    try:
        entry = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        entry = None
    if not isinstance(entry, dict):
        return LogLine(0.0, "error" if b"Error" in raw else "info", raw.decode("utf-8", "replace")), ()
    ids = tuple(str(entry[name]) for name in ("request_id", "client_request_id") if entry.get(name))
    at = entry.pop("at", 0.0)
    status = entry.get("status", 0)
    level = entry.pop("level", "error" if status >= 500 else "warning" if status >= 400 else "info")
    return LogLine(at, level, _text(entry)), ids


def _text(entry: Mapping[str, Any]) -> str:
    """An event as it was told, with its traceback; a request by its figures, those that matter first, none empty."""
    if event := entry.get("event") or entry.get("text"):
        traceback = "".join(entry.get("traceback", ())).rstrip()
        return f"{event}\n{traceback}\n{entry.get('error', '')}" if traceback else str(event)
    named = sorted(entry.items(), key=lambda item: FIRST.index(item[0]) if item[0] in FIRST else len(FIRST))
    return " ".join(f"{key}={_short(value)}" for key, value in named if value not in ("", False))


def _short(value: Any) -> Any:
    return f"{value:.2f}" if isinstance(value, float) else value
