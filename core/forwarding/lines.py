"""Log lines of a scoring server as log records. A request has its own, its span, and is left out here."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource

from core.forwarding.spans import SCOPE

FIRST_BYTES = 1_000_000
"""So much of a log that has not been looked at yet is forwarded, from its end."""
READ_BYTES = 1_000_000
SEVERITIES = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}


@dataclass(frozen=True)
class Read:
    """Lines of a log, and where the next ones begin."""

    lines: tuple[bytes, ...]
    end: int


def read(log: Path, at: int | None) -> Read:
    """The whole lines of a log from byte `at` on, about a megabyte of them; None: of the last megabyte.

    A log that is shorter than that was set aside as `NAME.1` and begun anew: its rest is read there first.
    """
    size = log.stat().st_size if log.exists() else 0
    if at is None:
        start = max(0, size - FIRST_BYTES)
        found = _lines(log, start, size)
        return Read(found.lines[1:] if start else found.lines, found.end)
    if at > size:
        aside = log.with_name(f"{log.name}.1")
        rest = _lines(aside, at, aside.stat().st_size) if aside.exists() else Read((), at)
        return rest if rest.lines else _lines(log, 0, size)
    return _lines(log, at, size)


def _lines(log: Path, start: int, size: int) -> Read:
    if start >= size:
        return Read((), start)
    with log.open("rb") as file:
        file.seek(start)
        raw = file.read(READ_BYTES)
    whole = raw[: raw.rfind(b"\n") + 1]
    if not whole and len(raw) == READ_BYTES:
        return Read((), start + len(raw))  # no line is so long
    return Read(tuple(whole.splitlines()), start + len(whole))


def log_records(lines: tuple[bytes, ...], endpoint: str, of: Resource, now: float) -> Iterator[ReadableLogRecord]:
    """What the lines say, each with an id of its own; an exception by the places of its traceback, without its text."""
    for line in lines:
        told = _parsed(line)
        if told is not None:
            at = told.get("at")
            stamp = round((at if isinstance(at, int | float) and not isinstance(at, bool) else now) * 1e9)
            level = str(told.get("level") or "info").lower()
            made = hashlib.sha256(endpoint.encode() + line).hexdigest()[:32]
            attributes = {"log.record.uid": made}
            for field, name in (("request_id", "slipway.request_id"), ("deployment", "slipway.deployment")):
                if told.get(field):
                    attributes[name] = str(told[field])
            yield ReadableLogRecord(
                LogRecord(
                    timestamp=stamp,
                    observed_timestamp=stamp,
                    severity_text=level.upper(),
                    severity_number=SEVERITIES.get(level, SeverityNumber.INFO),
                    body=_text(told),
                    attributes=attributes,
                ),
                of,
                SCOPE,
            )


def _parsed(line: bytes) -> dict[str, Any] | None:
    """What a line says; None of an empty one, and of a request's."""
    text = line.decode("utf-8", "replace").strip()
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if isinstance(told, dict):
        return told if told.get("event") or told.get("text") else None
    return {"text": text, "level": "error" if "Error" in text else "info"} if text else None


def _text(told: dict[str, Any]) -> str:
    places = "".join(map(str, told.get("traceback") or ())).rstrip()
    said, error = str(told.get("event") or told["text"]), str(told.get("error") or "")
    return "\n".join((said, places, error if error.isidentifier() else "")).rstrip() if places else said
