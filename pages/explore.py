"""Explore: the registered tables, column by column."""

import time

import streamlit as st

from core import ui
from core.ui.explore import tables

ui.frame("Explore")
workspace = ui.workspace()
with ui.explained():
    known = workspace.list_data()
    with st.expander("Register a table", icon=":material/add_circle:", expanded=not known):
        if tables.register_form(workspace):
            st.rerun()
    if not known:
        ui.notices.empty(
            "No table is registered yet",
            "Name one above. `bankmarketing_train` is found in the data folders, fetched, or made as a synthetic twin.",
            icon="table_chart",
        )
        st.stop()

    left, right = st.columns([3, 2])
    with left:
        asset = tables.choose(known)
    whole = ui.cached.profile(asset.ref)
    with right:
        target = tables.choose_target(whole)
    ui.notices.twin(asset)
    tables.facts(asset, whole, time.time())
    tables.notes(workspace, asset)

    view = st.segmented_control(
        "View",
        ("Columns", "Preview"),
        default="Columns",
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
    if view == "Preview":
        tables.preview(ui.cached.sample(asset.ref))
    else:
        profile = ui.cached.profile(asset.ref, target)
        tables.columns_table(profile)
        tables.column_detail(asset.ref, profile, target)
