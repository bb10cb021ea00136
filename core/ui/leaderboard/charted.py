"""The trials as a chart: over time, against speed, or by hyperparameter."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from core.domain.ranking import frontier
from core.domain.training import Trial
from core.ui.kit import charts, trial_charts, words
from core.ui.leaderboard.board import Board
from core.ui.shell import choices, live
from core.ui.shell.state import state

TIME, SPEED, PARAMS = "time", "speed", "params"
VIEWS = {TIME: "Over time", SPEED: "Against speed", PARAMS: "Hyperparameters"}


def show(board: Board) -> None:
    """The chart that is chosen, of the trials that stand in the table; nothing while none has a score."""
    metric = state.board_metric
    listed = set(state.shown_trials)
    scored = [t for t in board.trials if t.number in listed and metric in t.metrics]
    state.charted_trials = _asked(board)
    if not scored:
        return
    view = choices.choose("Chart", VIEWS, key="chart", draw=choices.tabs)
    if view == PARAMS:
        _hyperparameters(scored, metric)
    elif view == SPEED:
        _speed(scored, metric)
    else:
        started_at = board.job.started_at or board.trials[0].started_at
        charts.show(
            charts.best_so_far(scored, metric, started_at),
            key="leaderboard.chart",
            alt=f"Best {words.metric(metric)} over time",
        )


def follow(board: Board) -> None:
    """Draw the page anew where the table was asked for other trials, or another metric, than the chart shows.

    Trials that have ended since are no reason: the chart looks for them by itself.
    """
    if live.alone() and board.job.state.final and state.charted_trials != _asked(board):
        st.rerun()


def _asked(board: Board) -> tuple[str, frozenset[int]]:
    return state.board_metric, frozenset(state.shown_trials)


def _speed(scored: Sequence[Trial], metric: str) -> None:
    if not any(t.predict_ms > 0 for t in scored):
        st.caption("The time that these models take for one row is not known.")
        return
    charts.show(
        trial_charts.quality_and_speed(scored, metric),
        key="leaderboard.speed",
        alt=f"{words.metric(metric)} against the time for one row; {_told(scored, metric)}",
    )
    st.caption(f"The line joins the trials that no other trial beats in both score and speed: {_told(scored, metric)}.")


def _told(scored: Sequence[Trial], metric: str) -> str:
    return words.plural(len(frontier(scored, metric)), "trial")


def _hyperparameters(scored: Sequence[Trial], metric: str) -> None:
    """Of one algorithm: those of another have other hyperparameters."""
    counted = Counter(t.algorithm for t in scored if t.params).most_common()
    able = [name for name, count in counted if count > 1]
    if not able:
        st.caption("Two trials of one algorithm are needed to compare hyperparameters.")
        return
    with st.container(width=260):
        algorithm = st.selectbox("Algorithm", able, format_func=words.algorithm, key="leaderboard.params_of")
    same = [t for t in scored if t.algorithm == algorithm]
    if not trial_charts.varied(same):
        st.caption("These trials have the same hyperparameters.")
        return
    charts.show(
        trial_charts.hyperparameters(same, metric),
        key="leaderboard.params",
        alt=f"Hyperparameters of {words.plural(len(same), 'trial')} of {words.algorithm(algorithm)}",
    )
