"""How late a workspace's records are."""

from core.ui.kit import words
from core.ui.shell import cached


def said_late() -> str:
    """What arrives only after minutes, in a sentence; empty where a request shows up within seconds."""
    late_s = cached.workspace().pace.records_s
    if not late_s:
        return ""
    return (
        f"Requests may show up as late as {words.lasting(late_s)} after they were answered: the newest may be missing."
    )
