"""Pipelines: the whole path as one thing that a button or a REST call starts."""

import streamlit as st

from core import ui
from core.ui.pipelines import runs

ui.frame("Pipelines")
workspace = ui.workspace()
with ui.explained():
    published = workspace.pipelines()
    new = runs.publishable(published)
    if not published:
        ui.notices.empty(
            "No pipeline is published yet",
            "Publish the one below: it prepares a table, trains, and registers the best model, each time it is called.",
            icon="account_tree",
        )
        runs.publish_buttons(workspace, new)
        st.stop()
    if new:
        with st.expander("Publish a definition", icon=":material/add_circle:"):
            runs.publish_buttons(workspace, new)
    pipeline = runs.choose(published)
    runs.steps_of(pipeline.spec)
    runs.trigger(workspace, pipeline)
    ui.live(lambda: runs.look(workspace, pipeline.id), runs.pace, runs.draw)
