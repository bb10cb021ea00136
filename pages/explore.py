"""Explore: the registered tables, column by column."""

import time

import streamlit as st

from core import ui
from core.ui import explore

ui.frame("Explore")
workspace = ui.workspace()
with ui.explained():
    known = workspace.data.list()
    explore.register_part(workspace, known)
    if not known:
        ui.notices.empty(
            "No table is registered yet",
            "Upload a file above, or start with a sample table: one click registers it.",
            icon="table_chart",
        )
        explore.samples(workspace, "first")
        st.stop()

    left, right, beside = st.columns([3, 2, 2], vertical_alignment="bottom")
    with left:
        asset = ui.tables.choose(known)
    profile = ui.cached.profile(asset.ref)
    with right:
        target = explore.choose_target(asset, profile)
    with beside:
        explore.train_link(asset, target)
    ui.notices.twin(asset)
    explore.draw_facts(asset, profile)
    with st.container(horizontal=True, vertical_alignment="center"):
        explore.draw_origin(asset, time.time())
        explore.draw_delete(workspace, asset)
    explore.draw_runs(workspace, asset)
    explore.draw_notes(workspace, asset)

    explored = explore.explore(workspace, asset, profile, target)
    ui.parts.choose("View", explore.VIEWS, lambda: explored, key="view", first="Columns")
