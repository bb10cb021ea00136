"""What to look at: a window of time, and whose requests."""

from collections.abc import Mapping

import streamlit as st

from core.domain.monitoring import Origin

WINDOWS = {"15 min": (900.0, 30), "1 h": (3_600.0, 60), "24 h": (86_400.0, 48), "7 days": (604_800.0, 56)}
"""Label -> (seconds, buckets)."""
ORIGINS: Mapping[str, Origin | None] = {
    "Clients": Origin.CLIENT,
    "The Test form": Origin.APP,
    "Batch jobs": Origin.BATCH,
    "Load tests": Origin.LOADTEST,
    "Gates, to compare": Origin.SHADOW,
    "Checks": Origin.GATE,
    "Everybody": None,
}
"""Label -> whose requests."""


def choose_window() -> tuple[float, int]:
    """The seconds to look back, and in how many intervals."""
    picked = st.segmented_control(
        "Window", list(WINDOWS), default="1 h", required=True, key="window", bind="query-params"
    )
    return WINDOWS[picked or "1 h"]


def choose_origin() -> Origin | None:
    """Whose requests to show; None for all."""
    names = list(ORIGINS)
    return ORIGINS[str(st.selectbox("Sent by", names, key="monitor.origin"))]
