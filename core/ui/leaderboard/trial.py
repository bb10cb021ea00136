"""One trial in full."""

import streamlit as st

from core.domain.training import Trial, TrialState
from core.ui.kit import jobs, notices, words
from core.ui.leaderboard import register
from core.ui.leaderboard.board import Board
from core.ui.shell import choices, failures


def show(board: Board) -> None:
    """The trial that was opened: parameters, all metrics, time and log."""
    if not board.trials:
        return
    chosen = choices.chosen("trial", scope=board.job.id)
    trial = next((t for t in board.trials if chosen == str(t.number)), None)
    if trial is None:
        st.caption(":material/touch_app: Click a row to open its trial: parameters, all metrics, time and log.")
        return
    word = words.state(trial.state)
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**Trial {trial.number}: {words.algorithm(trial.algorithm)}**", width="content")
            notices.badge(word, f"{word.label}, {words.lasting(board.took_s(trial))}")
        _outcome(board, trial)
        if trial.members:
            st.markdown(f"Averages the probabilities of trials {', '.join(str(n) for n in trial.members)}.")
        _tables(trial, jobs.primary_metric(board.job))
        if lines := board.workspace.jobs.trial(board.job.id, trial.number).log:
            st.code("\n".join(lines), language=None)


def _outcome(board: Board, trial: Trial) -> None:
    """Its model where it has left one, else why not."""
    if trial.error:
        failures.say(trial.error)
    if trial.state is TrialState.STOPPED:
        st.caption("Stopped when the training ended, so it left no model.")
    if trial.state is TrialState.SUCCEEDED:
        register.offer(board, trial, "Register this model", key="trial")


def _tables(trial: Trial, primary: str) -> None:
    """Metrics, the primary one first, and, beside them, parameters where the trial has any."""
    left, right = st.columns(2)
    if trial.metrics:
        names = sorted(trial.metrics, key=lambda name: (name != primary, words.metric(name)))
        scores = [words.score(trial.metrics[name]) for name in names]
        left.table({"Metric": [words.metric(name) for name in names], "Score": scores})
    if trial.params:
        right.table({"Parameter": list(trial.params), "Value": [_value(v) for v in trial.params.values()]})


def _value(value: object) -> str:
    if value is None:
        return words.DASH
    return f"{value:.4g}" if isinstance(value, float) else str(value)
