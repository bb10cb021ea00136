"""Deploy: put a model behind an endpoint, watch it being proven, try it, hand it over."""

import streamlit as st

from core import ui
from core.ui.deploy import batch, consume, details, keys, loadtest, logs, rollout, swagger, tryit
from core.ui.kit import endpoints

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
            rollout.deploy_form(workspace, models)
    if not known:
        ui.notices.empty(
            "Nothing is deployed yet",
            "Choose a model above. It goes live by itself when its gate has passed.",
            icon="rocket_launch",
        )
        st.stop()

    name = endpoints.choose(known).name
    ui.live(lambda: rollout.look(workspace, name), rollout.pace, lambda seen: rollout.draw(workspace, seen))

    endpoint = workspace.endpoint(name)
    model = endpoints.answering_model(endpoint)
    use = st.segmented_control(
        "Use it",
        ("Details", "Test", "Batch", "Consume", "Swagger", "Keys", "Logs", "Load test"),
        default="Test",
        required=True,
        key="use",
        bind="query-params",
        label_visibility="collapsed",
    )
    if use == "Details":
        details.show(workspace, endpoint)
    elif use == "Test" and model is not None:
        tryit.test(workspace, endpoint, model.signature)
    elif use == "Batch" and model is not None:
        batch.show(workspace, endpoint, model.signature)
    elif use == "Consume" and model is not None:
        consume.show(endpoint, model)
    elif use == "Swagger":
        swagger.show(workspace, endpoint)
    elif use == "Keys":
        keys.show(workspace, endpoint)
    elif use == "Logs":
        logs.show(workspace, endpoint)
    elif use == "Load test":
        loadtest.show(workspace, endpoint)
    else:
        st.caption("Deploy a model first: there is nothing to try yet.")
