"""Register a trial's model, and go on to deploy it."""

import streamlit as st

from core.domain.names import endpoint_name
from core.domain.training import Trial
from core.ui.leaderboard.board import Board
from core.ui.shell import actions, navigation
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal


def offer(board: Board, trial: Trial, label: str, *, key: str) -> None:
    """Where the trial's model is registered, its name and the way to Deploy; else a form that registers it.

    `label` is the button's; `key` tells two offers of one page apart.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if model := board.registered(trial):
            said = f"Registered as **{literal(model.name)}, version {model.version}**"
            st.markdown(f":green[:material/check_circle:] {said}", width="content")
            navigation.link("Deploy", "Deploy it", model=model.ref)
            return
        suggested = endpoint_name(board.data.name if board.data else "model")
        place = f"{key}.{board.job.id}.{trial.number}"
        name = st.text_input("Model name", value=suggested, key=f"leaderboard.model.{place}", width=260)
        go = st.button(
            label,
            type="primary",
            icon=":material/bookmark_add:",
            key=f"leaderboard.register.{place}",
            **able("models.register"),
        )
    if go:
        actions.apply("Registering", board.workspace.models.register, name.strip(), board.job.id, trial.number)
