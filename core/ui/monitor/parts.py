"""What is shown of an endpoint's traffic, from above."""

from collections.abc import Callable

import streamlit as st

from core.ui.kit import logs, notices
from core.ui.monitor import course, endings, figures
from core.ui.monitor.traffic import Traffic

PARTS: tuple[Callable[[Traffic], None], ...] = (figures.show, course.show, endings.show)
"""Drawn where there was a request."""


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
        for part in PARTS:
            part(traffic)
    st.subheader("The server's log", anchor=False)
    logs.show(traffic.log, traffic.now)
