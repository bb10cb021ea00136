"""Where a training job stands: its progress, a way to stop it, and to register what it found."""

import streamlit as st

from core.domain.job import JobState
from core.domain.pipeline import ValueType
from core.ui.kit import jobs, lineage, words
from core.ui.leaderboard import register
from core.ui.leaderboard.board import Board
from core.ui.shell import actions, failures
from core.ui.shell.abilities import able


def show(board: Board) -> None:
    """How far the job is, why it failed where it did, and what can be done now."""
    if board.job.state is JobState.FAILED:
        failures.say(board.job.message, board.job.hint)
    jobs.progress(board.job, board.trials, board.now)
    lineage.show(board.workspace, ValueType.JOB, board.job.id, made="Started by")
    if not board.job.state.final:
        asked = board.job.stopping
        if st.button(
            "Stop training",
            icon=":material/stop_circle:",
            key="leaderboard.cancel",
            **able("jobs.cancel", unless=asked),
        ):
            actions.apply("Stopping", board.workspace.jobs.cancel, board.job.id)
        return
    _say_what_is_kept(board)
    if best := board.best:
        metric = jobs.primary_metric(board.job)
        score = f"{words.metric(metric)} {words.score(best.metrics.get(metric))}"
        register.offer(board, best, f"Register the best model ({score})", key="best")


def _say_what_is_kept(board: Board) -> None:
    """A job that did not come to its end tells what it leaves."""
    if board.job.state is JobState.SUCCEEDED:
        return
    kept = len(board.scored)
    if kept:
        any_of = "it can be registered" if kept == 1 else "any of them can be registered"
        st.caption(f":material/inventory_2: Kept: {words.plural(kept, 'finished trial')}; {any_of}.")
    elif board.job.state is JobState.CANCELED:
        st.caption(":material/inventory_2: Stopped before a trial had finished: there is nothing to register.")
