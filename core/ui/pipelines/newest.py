"""The latest run, step by step."""

import streamlit as st

from core.domain.pipeline import StepKind
from core.domain.run import StepRun, StepState
from core.ui.kit import notices, words
from core.ui.pipelines.runs import Runs
from core.ui.shell import failures, navigation
from core.ui.shell.markup import literal

STEP_PX = 230


def show(seen: Runs) -> None:
    """How it stands, and each of its steps."""
    newest = seen.runs[0]
    word = words.state(newest.state)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader(f"Latest run in experiment {literal(newest.experiment_name)}", anchor=False, width="content")
        notices.badge(word)
    if newest.message:
        failures.say(newest.message)
    with st.container(horizontal=True, gap="small"):
        for step in newest.steps:
            _step(step, seen.now)


def _step(step: StepRun, now: float) -> None:
    word = words.state(step.state)
    with st.container(border=True, width=STEP_PX, height="stretch", gap="xsmall"):
        st.markdown(f":{word.color}[{word.icon_code}] **{words.STEPS[step.kind]}**")
        lasted = None if step.started_at is None else (step.ended_at or now) - step.started_at
        st.caption(f"{word.label}" + (f", {words.lasting(lasted)}" if lasted is not None else ""))
        if step.message:
            if step.state is StepState.FAILED:
                failures.say(step.message)
            else:
                st.caption(literal(step.message))
        if step.kind is StepKind.AUTOML and step.started_job_id:
            navigation.link("Leaderboard", "See its trials", job=step.started_job_id)
