"""What starts by itself next."""

import streamlit as st

from core.ui.home.overview import Overview
from core.ui.kit import moments
from core.ui.shell import navigation
from core.ui.shell.markup import literal

SHOWN_MAX = 3


def show(seen: Overview) -> None:
    """The next fires of all schedules in a line; nothing where none is due."""
    due = sorted((s.next_fires_at[0], s.spec.name, s.spec.timezone) for s in seen.schedules if s.next_fires_at)
    if not due:
        return
    told = " · ".join(f"**{literal(name)}** {moments.there(at, timezone)}" for at, name, timezone in due[:SHOWN_MAX])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":small[:gray[:material/event_repeat: Scheduled next:] {told}]")
        navigation.link("Pipelines", "Schedules", view="Schedules")
