"""One JSON line per event on standard error; nothing there ever holds a key or a value from a request."""

import logging
import os
import threading
import traceback

import msgspec

from core.domain.errors import SlipwayError


class JsonLines(logging.Formatter):
    """`{"at","level","event"}`. Of an exception only its type and places are told: its text may hold values."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"at": record.created, "level": record.levelname.lower(), "event": record.getMessage()}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            line["traceback"] = traceback.format_tb(error.__traceback__)
        return msgspec.json.encode(line).decode()


class LogLines:
    """Writes lines to a descriptor. Where one could not be written whole, the next begins on a line of its own."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()
        self._torn = False

    def write(self, lines: bytes) -> None:
        """Raises OSError; a part may be written then."""
        with self._lock:
            data, written = memoryview(b"\n" + lines if self._torn else lines), 0
            try:
                while written < len(data):
                    written += os.write(self._fd, data[written:])
            finally:
                if written:
                    self._torn = data[written - 1] != ord("\n")


class ToDescriptor(logging.Handler):
    """Writes records to a descriptor. What a full disk cannot take is lost and counted: there is nobody to tell."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._lines = LogLines(fd)
        self.lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.write(self.format(record).encode() + b"\n")
        except OSError:
            self.lost += 1
        except Exception:  # noqa: BLE001 - as every handler does: a wrong message is told, and ends nothing
            self.handleError(record)


def configure() -> None:
    """Send every logger of the process to standard error as JSON lines, from INFO up for ours."""
    handler = ToDescriptor(2)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("core.serving").setLevel(logging.INFO)


def fatal(error: SlipwayError) -> str:
    """The one line that a process says when it cannot start."""
    told = {"status": error.status, "message": error.message, "hint": error.hint}
    return msgspec.json.encode({"error": told}).decode() + "\n"
