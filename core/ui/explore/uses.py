"""The Used by view: the trainings, models and deployments that came of a table."""

import streamlit as st

from core.domain.job import Job, JobKind
from core.ui.explore.table import Explored, train_link
from core.ui.kit import jobs, notices, words
from core.ui.shell import navigation
from core.ui.shell.markup import literal

SHOWN_MAX = 20


def show(explored: Explored) -> None:
    """Each of them as a link."""
    found = explored.workspace.data.lineage(explored.asset.ref)
    if not (found.jobs or found.models or found.deployments):
        notices.empty(
            "Nothing uses this table yet",
            "Its training jobs, models and deployments will be listed here.",
            icon="account_tree",
        )
        train_link(explored.asset, explored.target)
        return
    left, middle, right = st.columns(3)
    with left:
        _trainings(explored, found.jobs)
    with middle:
        _heading("Models", len(found.models))
        for model in found.models[:SHOWN_MAX]:
            navigation.link("Deploy", f"Deploy {model.replace(':', ', version ')}", model=model)
    with right:
        _heading("Deployments", len(found.deployments))
        for deployment in found.deployments[:SHOWN_MAX]:
            navigation.link("Deploy", deployment, endpoint=deployment.split("/")[0])


def _heading(what: str, count: int) -> None:
    more = f", first {SHOWN_MAX} shown" if count > SHOWN_MAX else ""
    st.markdown(f"**{what}** :gray[{words.count(count)}{more}]")


def _trainings(explored: Explored, ids: tuple[str, ...]) -> None:
    workspace = explored.workspace
    known = {job.id: job for job in workspace.jobs.list(data=explored.asset.ref)} if workspace.can("jobs.list") else {}
    _heading("Jobs", len(ids))
    for job_id in ids[:SHOWN_MAX]:
        job = known.get(job_id)
        if job is None or job.kind is JobKind.AUTOML:
            navigation.link("Leaderboard", _named(job) or f"Training {job_id[-8:]}", job=job_id)
        else:
            st.markdown(literal(_named(job)))


def _named(job: Job | None) -> str:
    return "" if job is None else f"{jobs.about(job)}, {words.state(job.state).label.lower()}"
