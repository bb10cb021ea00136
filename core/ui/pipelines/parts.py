"""What is shown of a pipeline's runs, from above."""

from collections.abc import Callable

import streamlit as st

from core.ui.pipelines import earlier, newest
from core.ui.pipelines.runs import Runs

PARTS: tuple[Callable[[Runs], None], ...] = (newest.show, earlier.show)


def draw(seen: Runs) -> None:
    """Every part, of the runs as they were seen."""
    if not seen.runs:
        st.info("**It has not run yet.** Start it above; its steps appear here.", icon=":material/hourglass_empty:")
        return
    for part in PARTS:
        part(seen)
