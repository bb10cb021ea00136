"""Where a training job stands: its progress, a way to stop it, and to register what it found."""

import streamlit as st

from core.domain.job import JobState
from core.domain.names import endpoint_name
from core.ui.kit import jobs
from core.ui.leaderboard.board import Board
from core.ui.shell import actions, failures, navigation
from core.ui.shell.abilities import able


def show(board: Board) -> None:
    """How far the job is, why it failed where it did, and what can be done now."""
    if board.job.state is JobState.FAILED:
        failures.say(board.job.message, board.job.hint)
    jobs.progress(board.job, board.trials, board.now)
    if not board.job.state.final:
        asked = board.job.cancel_requested
        if st.button(
            "Stop here", icon=":material/stop_circle:", key="leaderboard.cancel", **able("jobs.cancel", unless=asked)
        ):
            actions.apply("Stopping", board.workspace.jobs.cancel, board.job.id)
    elif board.job.state is JobState.SUCCEEDED:
        _register(board)


def _register(board: Board) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if board.models:
            st.markdown(f":green[:material/check_circle:] Registered as **{board.models[0]}**", width="content")
            navigation.link("Deploy", "Deploy it")
            return
        suggested = endpoint_name(board.data.name if board.data else "model")
        name = st.text_input("Model name", value=suggested, key=f"leaderboard.model.{board.job.id}", width=320)
        icon = ":material/bookmark_add:"
        go = st.button(
            "Register the best model", type="primary", icon=icon, key="leaderboard.register", **able("models.register")
        )
    if go:
        actions.apply("Registering", board.workspace.models.register, name.strip(), board.job.id)
