"""The trials: scores over time, and the leaderboard itself."""

import streamlit as st

from core.domain.ranking import ranked
from core.ui.kit import charts, jobs, words
from core.ui.leaderboard.board import Board
from core.ui.shell import choices
from core.ui.shell.state import state


def show(board: Board) -> None:
    """Every trial, best first by the metric that is chosen, and how the best score grew."""
    if not board.trials:
        if not board.job.state.final:
            st.info("The first trial starts in a moment.", icon=":material/hourglass_top:")
        return
    metric = _metric_picker(board)
    left, right = st.columns([5, 3])
    with left:
        _table(board, metric)
    with right:
        if any(metric in t.metrics for t in board.trials):
            charts.show(
                charts.best_so_far(board.trials, metric, board.job.started_at or board.trials[0].started_at),
                key="leaderboard.chart",
                alt=f"Best {words.metric(metric)} over time",
            )


def _metric_picker(board: Board) -> str:
    primary = jobs.primary_metric(board.job)
    found = sorted({name for t in board.trials for name in t.metrics} - {primary})
    names = {name: words.metric(name) for name in (primary, *found)}
    with st.container(width=260):
        return choices.choose("Metric", names, key="metric", scope=board.job.id)


def _table(board: Board, metric: str) -> None:
    """The leaderboard itself: a click on a row opens the trial.

    One table for as long as the job is shown. Streamlit keeps a selection by its position, so it is moved along when
    the trial that is opened moves.
    """
    rows = ranked(board.trials, metric)
    state.shown_trials = tuple(t.number for t in rows)
    opened = choices.opened("trial", [str(n) for n in state.shown_trials], key="trial", scope=board.job.id)
    key = f"leaderboard.trials.{board.job.id}"
    _select(key, [state.shown_trials.index(int(opened))] if opened else [])
    st.dataframe(
        {
            "Rank": [str(i + 1) if metric in t.metrics else words.DASH for i, t in enumerate(rows)],
            "Algorithm": [words.algorithm(t.algorithm) for t in rows],
            words.metric(metric): [t.metrics.get(metric) for t in rows],
            "State": [words.state(t.state).label for t in rows],
            "Time": [words.lasting(board.took_s(t)) for t in rows],
            "Trial": [t.number for t in rows],
        },
        key=key,
        hide_index=True,
        height=min(38 + 35 * len(rows), 320),
        on_select=lambda: _open_trial(key, board.job.id),
        selection_mode=("single-row", "single-cell"),
        column_config={
            "Rank": st.column_config.TextColumn(width=50),
            "Algorithm": st.column_config.TextColumn(width=150),
            words.metric(metric): st.column_config.NumberColumn(format="%.4f", width=80),
            "State": st.column_config.TextColumn(width=80),
            "Time": st.column_config.TextColumn(width=70),
            "Trial": st.column_config.NumberColumn(width=50),
        },
        placeholder=words.DASH,
    )


def _select(key: str, rows: list[int]) -> None:
    """Have the table select these rows and no cell; what it selects already is left alone."""
    now = st.session_state[key]["selection"] if key in st.session_state else {"rows": [], "cells": []}
    if list(now["rows"]) != rows or now["cells"]:
        st.session_state[key] = {"selection": {"rows": rows, "cells": []}}


def _open_trial(key: str, job_id: str) -> None:
    """By the box of its row or by any cell of it; the box of the opened one closes it."""
    selection = st.session_state[key].selection
    rows = [row for row, _ in selection.cells] or selection.rows
    choices.put("trial", str(state.shown_trials[rows[0]]) if rows else "", scope=job_id)
