"""The trials that run: how far each is, its folds so far, and a way to end it alone."""

import streamlit as st

from core.domain.training import Trial, TrialState
from core.ui.kit import jobs, words
from core.ui.leaderboard.board import Board
from core.ui.shell import actions
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal


def show(board: Board) -> None:
    """One line for each trial that runs now; nothing once the job has ended."""
    going = [t for t in board.trials if t.state is TrialState.RUNNING]
    if not going or board.job.state.final:
        return
    with st.container(border=True, gap="xsmall"):
        for trial in going:
            _line(board, trial)


def _line(board: Board, trial: Trial) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        name = literal(words.algorithm(trial.algorithm))
        st.markdown(
            f":blue[:material/progress_activity:] **Trial {trial.number}: {name}** :gray[{_folds(board, trial)}]",
            width="stretch",
        )
        go = st.button(
            "Cancel this trial",
            icon=":material/cancel:",
            type="tertiary",
            key=f"leaderboard.cancel_trial.{trial.number}",
            **able("jobs.cancel_trial", unless=board.job.stopping, help="The others go on."),
        )
    if go:
        actions.apply("Canceling", board.workspace.jobs.cancel_trial, board.job.id, trial.number)


def _folds(board: Board, trial: Trial) -> str:
    took = words.lasting(board.took_s(trial))
    if not trial.folds:
        return took
    scores = ", ".join(words.score(score) for score in trial.fold_scores)
    metric = words.metric(jobs.primary_metric(board.job))
    told = f" · {metric} {scores}" if scores else ""
    return f"fold {min(len(trial.fold_scores) + 1, trial.folds)} of {trial.folds}{told} · {took}"
