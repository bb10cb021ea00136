"""Pipelines: the whole path as one thing that a button or a REST call starts."""

import streamlit as st

from core import ui
from core.ui import pipelines

ui.frame("Pipelines")
workspace = ui.workspace()
with ui.explained():
    published = workspace.pipelines.list()
    new = pipelines.publishable(published)
    if not published:
        ui.notices.empty(
            "No pipeline is published yet",
            "Publish the one below: it prepares a table, trains, and registers the best model, each time it is called.",
            icon="account_tree",
        )
        pipelines.publish_buttons(workspace, new)
        st.stop()
    if new:
        with st.expander("Publish a definition", icon=":material/add_circle:"):
            pipelines.publish_buttons(workspace, new)
    pipeline = pipelines.choose(published)
    pipelines.steps_of(pipeline.spec)
    pipelines.draw_trigger(workspace, pipeline)
    ui.live(lambda: pipelines.look(workspace, pipeline.id), pipelines.pace, pipelines.draw)
