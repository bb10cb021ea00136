"""One trial in full."""

import streamlit as st

from core.domain.training import Trial
from core.ui.kit import notices, words
from core.ui.leaderboard.board import Board
from core.ui.shell import failures
from core.ui.shell.state import state


def show(board: Board) -> None:
    """The trial that was opened: parameters, all metrics, time and log."""
    if not board.trials:
        return
    chosen = state.trial
    trial = next((t for t in board.trials if chosen == (board.job.id, t.number)), None)
    if trial is None:
        st.caption(":material/touch_app: Click a row to open its trial: parameters, all metrics, time and log.")
        return
    word = words.state(trial.state)
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**Trial {trial.number}: {words.algorithm(trial.algorithm)}**", width="content")
            notices.badge(word, f"{word.label}, {words.lasting(board.took_s(trial))}")
        if trial.error:
            failures.say(trial.error)
        if trial.members:
            st.markdown(f"Averages the probabilities of trials {', '.join(str(n) for n in trial.members)}.")
        _tables(trial)
        if lines := board.workspace.jobs.trial(board.job.id, trial.number).log:
            st.code("\n".join(lines), language=None)


def _tables(trial: Trial) -> None:
    """Metrics and, beside them, parameters where the trial has any."""
    left, right = st.columns(2)
    scores = [words.score(v) for v in trial.metrics.values()]
    left.table({"Metric": [words.metric(n) for n in trial.metrics], "Score": scores})
    if trial.params:
        right.table({"Parameter": list(trial.params), "Value": [_value(v) for v in trial.params.values()]})


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
