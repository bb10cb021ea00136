"""Explore: the registered tables, column by column."""

import time

import streamlit as st

from core import ui
from core.ui import explore

ui.frame("Explore")
workspace = ui.workspace()
with ui.explained():
    known = workspace.data.list()
    with st.expander("Register a table", icon=":material/add_circle:", expanded=not known):
        if explore.register_form(workspace):
            st.rerun()
    if not known:
        ui.notices.empty(
            "No table is registered yet",
            "Name one above. `bankmarketing_train` is found in the data folders, fetched, or made as a synthetic twin.",
            icon="table_chart",
        )
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
    explore.draw_facts(asset, profile, time.time())
    explore.draw_notes(workspace, asset)

    explored = explore.explore(workspace, asset, profile, target)
    ui.parts.choose("View", explore.VIEWS, explored, key="view", first="Columns")
