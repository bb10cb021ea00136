"""One trial in full, in tabs of which only the one that is looked at is computed."""

import streamlit as st

from core.domain.training import Trial, TrialState
from core.ui.kit import notices, parts, words
from core.ui.kit.parts import Part
from core.ui.leaderboard import drivers, groups, overview, predictions, register, trials, what_if
from core.ui.leaderboard.board import Board
from core.ui.leaderboard.opened import Opened
from core.ui.shell import browser, choices, failures, live
from core.ui.shell.markup import literal
from core.ui.shell.state import state

KEY = "trial"
"""Of the part of the page."""
TABS: tuple[Part[Opened], ...] = (
    Part("Overview", overview.show),
    Part("Predictions", predictions.show, needs=("jobs.curves", "jobs.thresholds")),
    Part("Columns", drivers.show, needs=("jobs.importance", "jobs.partial_dependence")),
    Part("One row", what_if.show, needs=("jobs.explain", "jobs.signature")),
    Part("Groups", groups.show, needs=("jobs.fairness",)),
)


def show(board: Board) -> None:
    """The trial that was opened, by a click on its row or by the address."""
    if not board.trials:
        return
    trial = board.trial(choices.chosen("trial", scope=board.job.id))
    before, state.drawn_trial = state.drawn_trial, _drawn(board, trial)
    if trial is None:
        st.caption(":material/touch_app: Click a row to open its trial: metrics, charts and explanations.")
        return
    with st.container(border=True, key=KEY):
        _head(board, trial)
        if trial.state is TrialState.SUCCEEDED:
            parts.choose("Trial", TABS, lambda: Opened(board, trial), key="tab", first="Overview")
        else:
            overview.show(Opened(board, trial))
        if before[:2] != state.drawn_trial[:2] and before[0] in ("", board.job.id):
            browser.bring(KEY, below=trials.KEY, made=f"{board.job.id}.{trial.number}")


def follow(board: Board) -> None:
    """Draw the page anew where another trial was opened than is drawn below, or that one has ended since.

    What is below stands outside of the live part, which is drawn alone.
    """
    trial = board.trial(choices.chosen("trial", scope=board.job.id))
    if live.alone() and state.drawn_trial != _drawn(board, trial):
        st.rerun()


def _drawn(board: Board, trial: Trial | None) -> tuple[str, str, str]:
    """What tells one drawing from another; an ensemble is made anew under its number while the search goes on."""
    if trial is None:
        return board.job.id, "", ""
    return board.job.id, str(trial.number), f"{trial.state} {trial.duration_s}"


def _head(board: Board, trial: Trial) -> None:
    word = words.state(trial.state)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**Trial {trial.number}: {literal(words.algorithm(trial.algorithm))}**", width="content")
        notices.badge(word, f"{word.label}, {words.lasting(board.took_s(trial))}")
    if trial.featurizer:
        st.caption(f"In Azure ML: {literal(trial.label)}")
    if trial.state is TrialState.STOPPED:
        why = words.sentence(trial.error) if trial.error else "Stopped when the training ended."
        st.caption(f":material/timer_off: {literal(why)} It left no model.")
    elif trial.error:
        failures.say(trial.error)
    if trial.state is TrialState.SUCCEEDED:
        register.offer(board, trial, "Register this model", key="trial")
