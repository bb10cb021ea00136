"""What stands on Home: live first, then what runs, then on which data."""

from collections.abc import Callable

import streamlit as st

from core.ui.home import data, live, service, work
from core.ui.home.overview import Overview

ABOVE: tuple[Callable[[Overview], None], ...] = (live.show,)
LEFT: tuple[Callable[[Overview], None], ...] = (work.show,)
RIGHT: tuple[Callable[[Overview], None], ...] = (data.show, service.show)


def draw(seen: Overview) -> None:
    """Every part in its place, of the workspace as it was seen."""
    for part in ABOVE:
        part(seen)
    for place, parts in zip(st.columns([3, 2], gap="medium"), (LEFT, RIGHT), strict=True):
        with place:
            for part in parts:
                part(seen)
