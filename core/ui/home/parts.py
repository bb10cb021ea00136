"""What stands on Home: what needs a person, what is live, then what runs, then on which data."""

import streamlit as st

from core.ui.home import attention, data, live, scheduled, service, work
from core.ui.home.overview import CARDS, Overview
from core.ui.kit.parts import Part, stack

ABOVE: tuple[Part[Overview], ...] = (
    Part("Needs attention", attention.show),
    Part("Endpoints", live.show, needs=CARDS),
)
LEFT: tuple[Part[Overview], ...] = (
    Part("Running now", work.show, needs=("jobs.list",)),
    Part("Scheduled next", scheduled.show),
)
RIGHT: tuple[Part[Overview], ...] = (
    Part("Data in use", data.show, needs=("data.list",)),
    Part("Service", service.show),
)


def draw(seen: Overview) -> None:
    """Every part in its place, of the workspace as it was seen."""
    stack(ABOVE, seen)
    for place, parts in zip(st.columns([3, 2], gap="medium"), (LEFT, RIGHT), strict=True):
        with place:
            stack(parts, seen)
