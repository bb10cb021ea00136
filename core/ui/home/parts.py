"""What stands on Home: live first, then what runs, then on which data."""

import streamlit as st

from core.ui.home import data, live, service, work
from core.ui.home.overview import CARDS, Overview
from core.ui.kit.parts import Part, stack

ABOVE: tuple[Part[Overview], ...] = (Part("Endpoints", live.show, needs=CARDS),)
LEFT: tuple[Part[Overview], ...] = (Part("Running now", work.show, needs=("jobs.list",)),)
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
