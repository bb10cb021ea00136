"""What is shown of an endpoint's traffic, from above."""

from core.ui.kit import notices, words
from core.ui.kit.parts import Part, stack
from core.ui.monitor import course, endings, figures, log
from core.ui.monitor.asked import ORIGINS
from core.ui.monitor.traffic import Traffic

PARTS: tuple[Part[Traffic], ...] = (
    Part("Figures", figures.show),
    Part("By deployment", figures.by_deployment),
    Part("Over time", course.show),
    Part("Newest requests", endings.show, needs=("records.requests",)),
)
"""Drawn where there was a request."""
BELOW: tuple[Part[Traffic], ...] = (Part("Server log", log.show, needs=("endpoints.logs",)),)
"""Drawn always."""


def draw(traffic: Traffic) -> None:
    """Every part, of the traffic as it was seen, and the server's log."""
    notices.twin(traffic.data)
    if not traffic.summary.requests:
        _nothing(traffic)
    else:
        stack(PARTS, traffic)
    stack(BELOW, traffic)


def _nothing(traffic: Traffic) -> None:
    """Nothing was sent by whom is chosen: say who did send, and how to."""
    others = {name: n for name, n in traffic.summary.by_origin.items() if n}
    told = ", ".join(f"{ORIGINS.get(name, name)} ({words.count(n)})" for name, n in others.items())
    there = f"Others sent requests in this window: {told}. Choose one under Sent by."
    notices.empty(
        f"No requests in this window ({figures.whose(traffic)})",
        there if others else "Send one with a snippet of Deploy's Consume tab, or choose a longer window.",
        icon="monitoring",
        then=("Deploy", "Open Deploy"),
    )
