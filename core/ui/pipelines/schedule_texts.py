"""Schedules in words: policies, and outcomes of fires."""

from collections.abc import Mapping
from datetime import datetime

from core.domain.schedule import FireOutcome, Frequency, Misfire, Overlap
from core.ui.kit.words import Word

MISFIRES: Mapping[Misfire, tuple[str, str]] = {
    Misfire.ONCE: ("Run once", "However many were missed, only the latest runs."),
    Misfire.SKIP: ("Skip", "Nothing that was missed runs."),
    Misfire.ALL: ("Run all", "Every one that was missed runs, the oldest first."),
}
OVERLAPS: Mapping[Overlap, tuple[str, str]] = {
    Overlap.SKIP: ("Skip", "The new run is left out."),
    Overlap.QUEUE: ("Queue", "The new run starts when the last one has ended."),
    Overlap.ALLOW: ("Allow", "Both run at the same time."),
}
FREQUENCIES: Mapping[Frequency, tuple[str, str]] = {
    Frequency.MINUTE: ("minute", "minutes"),
    Frequency.HOUR: ("hour", "hours"),
    Frequency.DAY: ("day", "days"),
    Frequency.WEEK: ("week", "weeks"),
    Frequency.MONTH: ("month", "months"),
}
OUTCOMES: Mapping[FireOutcome, Word] = {
    FireOutcome.STARTED: Word("Started a run", "green", "play_circle"),
    FireOutcome.WAITING: Word("Waiting for the last run", "blue", "schedule"),
    FireOutcome.SKIPPED: Word("Skipped", "gray", "skip_next"),
    FireOutcome.MISSED: Word("Missed", "orange", "event_busy"),
    FireOutcome.FAILED: Word("Could not start", "red", "error"),
}
ON = Word("On", "green", "check_circle")
OFF = Word("Off", "gray", "pause_circle")


def local_time(text: str) -> datetime | None:
    """A start or an end as it stands in a schedule; None for none."""
    return datetime.fromisoformat(text).replace(tzinfo=None) if text else None
