"""Monitor: what is live, how it does, and whether its answers still hold."""

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
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width=240):
            chosen = ui.endpoints.choose(known)
        with st.container(width="content"):
            window = monitor.choose_window()
        with st.container(width=210):
            origin = monitor.choose_origin()
        follow = st.toggle("Live", value=True, key="monitor.live", help="Refresh every few seconds.", width="content")
    seen, opened = (ui.endpoints.from_now_on(workspace, chosen) for _ in range(2))
    ui.live(
        lambda: monitor.look(workspace, seen(), window, origin),
        lambda _: monitor.LOOK_EVERY_S if follow else None,
        monitor.draw,
    )
    ui.parts.choose(
        "Watch",
        monitor.TABS,
        lambda: monitor.Opened(workspace, opened(), window, origin, follow),
        key="watch",
        first="Traffic",
    )
