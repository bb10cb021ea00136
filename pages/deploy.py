"""Deploy: put a model behind an endpoint, watch it being proven, try it, hand it over."""

import streamlit as st

from core import ui
from core.ui import deploy

ui.frame("Deploy")
workspace = ui.workspace()
with ui.explained():
    models = workspace.models.list()
    known = workspace.endpoints.list()
    if not models and not known:
        ui.notices.empty(
            "There is no model to deploy yet",
            "Train one and register it first.",
            icon="rocket_launch",
            then=("Leaderboard", "Train a model"),
        )
        st.stop()
    opened = deploy.opened_model(models)
    if not known:
        deploy.deploy_form(workspace, models, opened)
        ui.notices.empty(
            "Nothing is deployed yet",
            "Choose a model above. It goes live by itself when its gate has passed.",
            icon="rocket_launch",
        )
        st.stop()

    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = ui.endpoints.choose(known)
        deploy.deploy_button(models, opened)
    if opened:
        deploy.deploy_form(workspace, models, opened)
    seen, used = (ui.endpoints.from_now_on(workspace, chosen) for _ in range(2))
    ui.live(lambda: deploy.look(workspace, seen()), deploy.pace, lambda rollout: deploy.draw(workspace, rollout))
    ui.parts.choose("Use it", deploy.TABS, lambda: deploy.opened(workspace, used()), key="use", first="Test")
