"""How fast a workspace can be watched, so that nobody asks a distant one more often than its answers change."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks that may tell something new, and how long things take there."""

    look_s: float = 0.2
    start_s: float = 60.0
    """A deployment that has not started by then has most likely failed."""
    records_s: float = 0.0
    """So late a request may show up among the records: younger ones may be missing from every figure."""
