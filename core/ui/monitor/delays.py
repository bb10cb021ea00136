"""How late a workspace's records are."""

from core.ui.shell import cached
from core.ui.shell.live import FAST_S


def said_late() -> str:
    """What arrives only after minutes, in a sentence; empty where a request shows up within seconds."""
    if cached.workspace().pace.look_s <= FAST_S:
        return ""
    return (
        "Requests come from Application Insights, where they arrive a minute or two after they were answered: what "
        "happened last is not here yet."
    )
