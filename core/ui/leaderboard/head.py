"""Where a training job stands: its progress, why the best won, and what can be done: stop, continue, register."""

import streamlit as st

from core.domain.errors import Conflict
from core.domain.job import JobState
from core.domain.pipeline import ValueType
from core.domain.training import ENDED_EARLY, TrainingResult
from core.ui.kit import jobs, lineage, words
from core.ui.leaderboard import cached, register, train
from core.ui.leaderboard.board import Board
from core.ui.shell import actions, choices, failures
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal


def show(board: Board) -> None:
    """How far the job is, why it failed where it did, and what can be done now."""
    if board.job.state is JobState.FAILED:
        failures.say(board.job.message, board.job.hint)
    _say_leak(board)
    jobs.progress(board.job, board.trials, board.now)
    _say_why(board)
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
        score = f"{words.metric(metric)} {words.score(board.expected.get(metric))}"
        label = f"Register the best model: {score}"
        register.offer(board, best, label, key="best", beside=lambda: _continue(board))
    elif board.scored:
        _continue(board)


def _say_leak(board: Board) -> None:
    """What a search has found in its data that makes its figures too good stands before the figures."""
    found = board.job.result
    if isinstance(found, TrainingResult):
        for note in found.notes:
            said = literal(words.sentence(note))
            if note.startswith(ENDED_EARLY):
                st.info(said, icon=":material/timer:")
            else:
                st.warning(said, icon=":material/lightbulb:")


def _say_why(board: Board) -> None:
    """One sentence on why the best trial won, once the job has ended."""
    if not board.job.state.final or len(board.scored) < 2 or not board.workspace.can("jobs.winner"):
        return
    try:
        found = cached.winner(board.job.id, len(board.scored))
    except Conflict:
        return  # nothing can be said without predictions, and the figures stand there all the same
    st.markdown(f":material/emoji_events: {literal(words.sentence(found.sentence))}")
    _say_expected(board)


def _say_expected(board: Board) -> None:
    """The best of many trials owes a little of its score to luck: what it has without that."""
    metric = jobs.primary_metric(board.job)
    own = board.best.metrics.get(metric) if board.best else None
    expected = board.expected.get(metric)
    if own is not None and expected is not None and words.score(own) != words.score(expected):
        st.caption(
            f"On new rows expect {words.metric(metric)} {words.score(expected)}, measured on rows that were not used "
            f"to choose the model. Its row in the table says {words.score(own)}."
        )


def _continue(board: Board) -> None:
    """More time for an ended training: a new job that begins with its trials, which is then shown."""
    with st.popover("Continue with more time", icon=":material/more_time:", **able("jobs.extend")):
        times = train.TIMES_S
        more_s = st.select_slider("Search time", times, 60, key="leaderboard.more_s", format_func=words.lasting)
        st.caption("A new job starts with the trials of this one and goes on searching.")
        go = st.button("Continue", type="primary", icon=":material/play_arrow:", key="leaderboard.continue")
    if go:
        job = actions.run("Submitting", board.workspace.jobs.extend, board.job.id, float(more_s))
        if job is not None:
            choices.put("job", job.id)
            st.rerun()


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
