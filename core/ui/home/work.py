"""What is running now, and what ended recently."""

from collections.abc import Sequence

import streamlit as st

from core.domain.job import Job
from core.domain.run import PipelineRunSpec, RunSummary
from core.ui.home import ways
from core.ui.home.overview import Overview
from core.ui.kit import jobs, notices, words
from core.ui.shell import navigation
from core.ui.shell.markup import literal

RECENT = 6


def show(seen: Overview) -> None:
    """Each job that is running, and the last ones that ended, each with a link to where it is shown."""
    st.subheader("Running now", anchor=False)
    for run in seen.going:
        _run(run, seen.now)
    for job in seen.running:
        jobs.progress(job, seen.trials.get(job.id, ()), seen.now)
        way = ways.to_job(job)
        navigation.link(way.page, f"Watch it on {way.page}", **way.query)
    if not (seen.running or seen.going):
        st.caption("Nothing is running.")
    if done := _once_each([j for j in seen.jobs if j.state.final])[:RECENT]:
        st.markdown("**Recent**")
        with st.container(gap="xsmall"):
            for job in done:
                _recent(job, seen.now)


def _once_each(ended: Sequence[Job]) -> list[Job]:
    """Of each pipeline the newest run alone: one that runs by the minute leaves room for others."""
    seen, kept = set[str](), []
    for job in ended:
        name = job.spec.pipeline if isinstance(job.spec, PipelineRunSpec) else job.id
        if name not in seen:
            kept.append(job)
        seen.add(name)
    return kept


def _run(run: RunSummary, now: float) -> None:
    word = words.state(run.state)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            navigation.link("Pipelines", f"Run {run.number} of {run.pipeline}", run=run.id)
            notices.badge(word)
        since = run.started_at or run.created_at
        st.progress(
            run.steps_done / max(run.steps_total, 1),
            text=f"{run.steps_done} of {words.plural(run.steps_total, 'step')}, {words.lasting(now - since)}",
        )
        st.caption(f"experiment {literal(run.experiment_name)}")


def _recent(job: Job, now: float) -> None:
    word, way = words.state(job.state), ways.to_job(job)
    with st.container(gap=None):
        navigation.link(way.page, jobs.about(job), **way.query)
        st.caption(
            f":{word.color}[{word.icon_code}] {word.label} {words.ago(job.ended_at, now)}, "
            f"took {words.lasting(jobs.elapsed(job, now))}"
        )
