"""The trials: the leaderboard itself."""

from collections.abc import Sequence

import streamlit as st

from core.domain.ranking import ranked
from core.domain.training import Trial, TrialState
from core.ui.kit import jobs, words
from core.ui.leaderboard import columns
from core.ui.leaderboard.board import Board
from core.ui.shell import choices
from core.ui.shell.state import state

KEY = "trials"
"""Of the part of the page that holds the table."""
FEW = 8
"""So many trials are overlooked without a filter."""


def show(board: Board) -> None:
    """Every trial, best first by the metric that is chosen."""
    if not board.trials:
        if not board.job.state.final:
            st.info("The first trial starts in a moment.", icon=":material/hourglass_top:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = _metric_picker(board)
        picked = _column_picker(board, metric)
        rows = _filtered(board, metric)
        _download(board, rows, metric)
    state.board_metric = metric
    with st.container(key=KEY):
        _table(board, rows, metric, picked)


def _metric_picker(board: Board) -> str:
    primary = jobs.primary_metric(board.job)
    found = sorted({name for t in board.trials for name in t.metrics} - {primary})
    names = {name: words.metric(name) for name in (primary, *found)}
    with st.container(width=260):
        return choices.choose("Metric", names, key="metric", scope=board.job.id)


def _column_picker(board: Board, metric: str) -> Sequence[str]:
    """Which columns stand beside rank, algorithm and metric: kept for the visit."""
    offered = columns.offered(board, metric)
    with st.popover("Columns", icon=":material/view_column:"):
        picked = st.multiselect(
            "Columns",
            list(offered),
            default=[key for key in state.board_columns if key in offered],
            format_func=lambda key: offered[key].title,
            key="leaderboard.columns",
            placeholder="Only rank, algorithm and score",
        )
        st.caption("The metrics are from rows that the models never saw. ± folds: standard deviation over the folds.")
    state.board_columns = tuple(picked)
    return picked


def _filtered(board: Board, metric: str) -> tuple[Trial, ...]:
    """The trials that the visitor wants to see, best first."""
    rows = ranked(board.trials, metric)
    kinds = list(dict.fromkeys(t.algorithm for t in rows))
    with st.popover("Filter", icon=":material/filter_list:", disabled=len(rows) <= FEW and len(kinds) < 2):
        algorithms = st.multiselect(
            "Algorithms", kinds, format_func=words.algorithm, key="leaderboard.algorithms", placeholder="All"
        )
        states = st.multiselect(
            "States",
            list(TrialState),
            format_func=lambda s: words.state(s).label,
            key="leaderboard.states",
            placeholder="All",
        )
    kept = tuple(t for t in rows if t.algorithm in (algorithms or kinds) and t.state in (states or list(TrialState)))
    if len(kept) < len(rows):
        st.caption(f"{len(kept)} of {words.plural(len(rows), 'trial')}", width="content")
    return kept


def _download(board: Board, rows: Sequence[Trial], metric: str) -> None:
    st.download_button(
        "CSV",
        lambda: columns.as_csv(board, rows, metric),
        file_name=f"leaderboard-{board.job.id}.csv",
        mime="text/csv",
        key="leaderboard.csv",
        icon=":material/download:",
        on_click="ignore",
        help="All metrics and hyperparameters of the trials that are shown.",
    )


def _table(board: Board, rows: Sequence[Trial], metric: str, picked: Sequence[str]) -> None:
    """The leaderboard itself: a click on a row opens the trial.

    One table for as long as the job is shown. Streamlit keeps a selection by its position, so it is moved along when
    the trial that is opened moves.
    """
    state.shown_trials = tuple(t.number for t in rows)
    opened = choices.opened("trial", [str(t.number) for t in board.trials], key="trial", scope=board.job.id)
    key = f"leaderboard.trials.{board.job.id}"
    at = [place for place, number in enumerate(state.shown_trials) if str(number) == opened]
    _select(key, at)
    shown = columns.shown(board, metric, picked)
    st.dataframe(
        {column.title: [column.cell(board, trial) for trial in rows] for column in shown.values()},
        key=key,
        hide_index=True,
        height=min(38 + 35 * max(1, len(rows)), 320),
        on_select=lambda: _open_trial(key, board.job.id),
        selection_mode=("single-row", "single-cell"),
        column_config={column.title: column.config for column in shown.values()},
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
