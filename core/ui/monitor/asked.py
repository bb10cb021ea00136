"""What to look at: a window of time, and whose requests."""

from collections.abc import Mapping

from core.domain.monitoring import Origin
from core.ui.shell import choices

WINDOWS = {
    "15m": (900.0, 30),
    "1h": (3_600.0, 60),
    "24h": (86_400.0, 48),
    "7d": (604_800.0, 56),
    "30d": (2_592_000.0, 60),
}
"""Id -> (seconds, buckets)."""
NAMES = {"15m": "15 min", "1h": "1 h", "24h": "24 h", "7d": "7 days", "30d": "30 days"}
LAST = {900.0: "the last 15 minutes", 3_600.0: "the last hour", 86_400.0: "the last 24 hours"}
EVERYBODY = "all"
ORIGINS: Mapping[str, str] = {
    Origin.CLIENT: "Clients",
    Origin.APP: "Test tab of Deploy",
    Origin.BATCH: "Batch jobs",
    Origin.LOADTEST: "Load tests",
    Origin.SHADOW: "Gate shadow requests",
    Origin.GATE: "Gate contract checks",
    EVERYBODY: "Everyone",
}
"""Whose requests: what an address says -> what people read."""


def choose_window() -> tuple[float, int]:
    """The seconds to look back, and in how many intervals."""
    return WINDOWS[choices.choose("Window", NAMES, key="window", first="1h", draw=choices.segments)]


def choose_span(key: str, first: str) -> float:
    """The seconds over which rows are gathered: what is said of data needs more of them than one hour has."""
    longer = {name: NAMES[name] for name in ("1h", "24h", "7d", "30d")}
    return WINDOWS[choices.choose("Rows of the last", longer, key=key, first=first, draw=choices.segments)][0]


def choose_origin() -> Origin | None:
    """Whose requests to show; None for all."""
    picked = choices.choose("Sent by", ORIGINS, key="origin", noun="sender")
    return None if picked == EVERYBODY else Origin(picked)


def whose(origin: Origin | None) -> str:
    """Whose requests these are."""
    return ORIGINS[origin or EVERYBODY]


def lately(window_s: float) -> str:
    """How far back: `the last hour`, `the last 7 days`."""
    return LAST.get(window_s, f"the last {window_s / 86_400:.0f} days")
