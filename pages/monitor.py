"""Monitor: what the endpoints were asked, how fast they answered, what went wrong."""

import streamlit as st

from core import ui
from core.ui import monitor

ui.frame("Monitor")
workspace = ui.workspace()
with ui.explained():
    known = workspace.endpoints.list()
    if not known:
        ui.notices.empty(
            "There is no endpoint to watch yet",
            "Deploy a model first.",
            icon="monitoring",
            then=("Deploy", "Deploy a model"),
        )
        st.stop()
    left, middle, by, right = st.columns([3, 3, 2, 1], vertical_alignment="bottom")
    with left:
        name = ui.endpoints.choose(known).name
    with middle:
        window = monitor.choose_window()
    with by:
        origin = monitor.choose_origin()
    with right:
        follow = st.toggle("Live", value=True, key="monitor.live", help="Look again every few seconds.")
    ui.live(
        lambda: monitor.look(workspace, name, window, origin),
        lambda _: monitor.LOOK_EVERY_S if follow else None,
        monitor.draw,
    )
