"""What is shown of a pipeline's runs, from above."""

import streamlit as st

from core.ui.kit.parts import Part, stack
from core.ui.pipelines import earlier, newest
from core.ui.pipelines.runs import Runs
from core.ui.shell import abilities

PARTS: tuple[Part[Runs], ...] = (Part("Latest run", newest.show), Part("Earlier runs", earlier.show))


def draw(seen: Runs) -> None:
    """Every part, of the runs as they were seen."""
    if reason := abilities.lacking("pipelines.list_runs"):
        abilities.say("Runs", reason)
        return
    if not seen.runs:
        st.info("**No runs yet.** Start one above; its steps appear here.", icon=":material/hourglass_empty:")
        return
    stack(PARTS, seen)
