"""The newest run, step by step."""

import streamlit as st

from core.domain.job import JobState
from core.domain.pipeline import StepRun
from core.ui.kit import notices, words
from core.ui.pipelines.runs import Runs
from core.ui.shell import failures


def show(seen: Runs) -> None:
    """How it stands, and each of its steps."""
    newest = seen.runs[0]
    word = words.state(newest.state)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader(f"Newest run: experiment {newest.experiment_name}", anchor=False, width="content")
        notices.badge(word)
    if newest.message:
        failures.say(newest.message)
    for column, step in zip(st.columns(len(newest.steps)), newest.steps, strict=True):
        with column:
            _step(step, seen.now)


def _step(step: StepRun, now: float) -> None:
    word = words.state(step.state)
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.markdown(f":{word.color}[{word.icon_code}] **{words.STEPS[step.kind]}**")
        lasted = None if step.started_at is None else (step.ended_at or now) - step.started_at
        st.caption(f"{word.label}" + (f", {words.lasting(lasted)}" if lasted is not None else ""))
        if step.message:
            (failures.say if step.state is JobState.FAILED else st.caption)(step.message)
