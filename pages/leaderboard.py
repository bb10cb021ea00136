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
            "No table to train on yet",
            "Register a table first.",
            icon="leaderboard",
            then=("Explore", "Register a table"),
        )
        st.stop()
    leaderboard.train_form(workspace, assets, first=not listed)
    if not listed:
        leaderboard.watch(workspace, listed, "")
        ui.notices.empty(
            "No training yet",
            "Choose above what to predict and for how long to search; every trial appears here when it finishes.",
            icon="leaderboard",
        )
        st.stop()
    job_id = leaderboard.choose(workspace, listed).id
    leaderboard.watch(workspace, listed, job_id)
    looking = leaderboard.Looking(workspace, job_id)
    ui.live(looking.look, leaderboard.pace, leaderboard.draw)
    leaderboard.draw_opened(looking)
    ui.live(looking.again, leaderboard.pace_of_charts, leaderboard.draw_charts)
    leaderboard.draw_below(looking)
