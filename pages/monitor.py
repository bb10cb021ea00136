"""Monitor: what the endpoints were asked, how fast they answered, what went wrong."""

import streamlit as st

from core import ui
from core.ui.kit import endpoints
from core.ui.monitor import traffic

ui.frame("Monitor")
workspace = ui.workspace()
with ui.explained():
    known = workspace.list_endpoints()
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
        name = endpoints.choose(known).name
    with middle:
        window = traffic.choose_window()
    with by:
        origin = traffic.choose_origin()
    with right:
        follow = st.toggle("Live", value=True, key="monitor.live", help="Look again every few seconds.")
    ui.live(
        lambda: traffic.look(workspace, name, window, origin),
        lambda _: traffic.WATCH_S if follow else None,
        traffic.draw,
    )
