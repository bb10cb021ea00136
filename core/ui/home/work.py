"""What is running now, and what ended recently."""

import streamlit as st

from core.domain.job import Job
from core.ui.home import ways
from core.ui.home.overview import Overview
from core.ui.kit import jobs, words
from core.ui.shell import navigation

RECENT = 6


def show(seen: Overview) -> None:
    """Each job that is running, and the last ones that ended, each with a link to where it is shown."""
    st.subheader("Running now", anchor=False)
    for job in seen.running:
        jobs.progress(job, seen.trials.get(job.id, ()), seen.now)
        way = ways.to_job(job)
        navigation.link(way.page, f"Watch it on {way.page}", **way.query)
    if not seen.running:
        st.caption("Nothing is running.")
    if done := [j for j in seen.jobs if j.state.final][:RECENT]:
        st.markdown("**Recent**")
        with st.container(gap="xsmall"):
            for job in done:
                _recent(job, seen.now)


def _recent(job: Job, now: float) -> None:
    word, way = words.state(job.state), ways.to_job(job)
    with st.container(gap=None):
        navigation.link(way.page, jobs.about(job), **way.query)
        st.caption(
            f":{word.color}[{word.icon_code}] {word.label} {words.ago(job.ended_at, now)}, "
            f"took {words.lasting(jobs.elapsed(job, now))}"
        )
