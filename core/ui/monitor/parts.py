"""What is shown of an endpoint's traffic, from above."""

from core.ui.kit import notices
from core.ui.kit.parts import Part, stack
from core.ui.monitor import course, endings, figures, log
from core.ui.monitor.traffic import Traffic

PARTS: tuple[Part[Traffic], ...] = (
    Part("Figures", figures.show),
    Part("Over time", course.show),
    Part("The newest requests", endings.show, needs=("records.requests",)),
)
"""Drawn where there was a request."""
BELOW: tuple[Part[Traffic], ...] = (Part("The server's log", log.show, needs=("endpoints.logs",)),)
"""Drawn always."""


def draw(traffic: Traffic) -> None:
    """Every part, of the traffic as it was seen, and the server's log."""
    notices.twin(traffic.data)
    if not traffic.summary.requests:
        notices.empty(
            "No request in this time",
            "Run one of the Consume snippets of the Deploy page, and look again. What the Test form, batches and load "
            "tests sent is counted apart: choose it under Sent by.",
            icon="monitoring",
        )
    else:
        stack(PARTS, traffic)
    stack(BELOW, traffic)
