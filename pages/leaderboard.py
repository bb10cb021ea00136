"""Leaderboard: train, and watch every trial as it lands."""

import streamlit as st

from core import ui
from core.domain.job import JobKind
from core.ui import leaderboard

ui.frame("Leaderboard")
workspace = ui.workspace()
with ui.explained():
    assets = workspace.data.list()
    listed = workspace.jobs.list(JobKind.AUTOML)
    if not assets:
        ui.notices.empty(
            "There is nothing to learn from yet",
            "Register a table first.",
            icon="leaderboard",
            then=("Explore", "Register a table"),
        )
        st.stop()
    with st.expander("Train on a table", icon=":material/add_circle:", expanded=not listed):
        leaderboard.train_form(workspace, assets)
    if not listed:
        ui.notices.empty(
            "No training has run yet",
            "Choose above what to predict and for how long to search; every trial appears here the moment it ends.",
            icon="leaderboard",
        )
        st.stop()
    job_id = leaderboard.choose(listed).id
    ui.live(lambda: leaderboard.look(workspace, job_id), leaderboard.pace, leaderboard.draw)
