"""One JSON line per event on standard error; nothing there ever holds a key or a value from a request."""

import logging
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


def configure() -> None:
    """Send every logger of the process to standard error as JSON lines, from INFO up for ours."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("core.serving").setLevel(logging.INFO)


def fatal(error: SlipwayError) -> str:
    """The one line that a process says when it cannot start."""
    told = {"status": error.status, "message": error.message, "hint": error.hint}
    return msgspec.json.encode({"error": told}).decode() + "\n"
