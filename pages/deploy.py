"""Deploy: put a model behind an endpoint, watch it being proven, try it, hand it over."""

import streamlit as st

from core import ui
from core.ui import deployments, endpoints, tryit

ui.frame("Deploy")
workspace = ui.workspace()
with ui.explained():
    models = workspace.list_models()
    known = workspace.list_endpoints()
    if not models and not known:
        ui.notices.empty(
            "There is no model to deploy yet",
            "Train one and register it first.",
            icon="rocket_launch",
            then=("Leaderboard", "Train a model"),
        )
        st.stop()
    if models:
        with st.expander("Deploy a model", icon=":material/add_circle:", expanded=not known):
            deployments.deploy_form(workspace, models)
    if not known:
        ui.notices.empty(
            "Nothing is deployed yet",
            "Choose a model above. It goes live by itself when its gate has passed.",
            icon="rocket_launch",
        )
        st.stop()

    name = endpoints.choose(known).name
    ui.live(lambda: deployments.look(workspace, name), deployments.pace, lambda seen: deployments.draw(workspace, seen))

    endpoint = workspace.endpoint(name)
    model = endpoints.answering_model(endpoint)
    if model is not None:
        use = st.segmented_control(
            "Use it",
            ("Test", "Consume", "Keys"),
            default="Test",
            required=True,
            key="use",
            bind="query-params",
            label_visibility="collapsed",
        )
        if use == "Test":
            tryit.test(workspace, endpoint, model.signature)
        elif use == "Consume":
            deployments.consume(endpoint, model)
        else:
            deployments.keys(workspace, endpoint)
