"""What a workspace keeps running elsewhere, and what it costs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that runs, or fires, until somebody ends it."""

    kind: str
    """`cluster`, `compute instance`, `deployment`, `online endpoint`, `batch endpoint`, `schedule` or `job`."""
    name: str
    """Of a deployment: `endpoint/deployment`."""
    state: str
    made_here: bool
    """Whether Slipway made it; a teardown removes no other."""
    size: str = ""
    """Of its machines; empty where it has none of its own."""
    count: int = 0
    """So many machines run now."""
    hourly_cost: float | None = 0.0
    """For all of them, by the price list that ships with Slipway; None: the list does not know the size there."""
    currency: str = "USD"
    note: str = ""
    """What must be known of the figure, in a sentence."""
