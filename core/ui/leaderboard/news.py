"""Trainings that were started elsewhere: by the command line, a pipeline, or in another tab."""

from collections.abc import Sequence

import streamlit as st

from core.domain.job import Job, JobKind
from core.ui.kit import jobs
from core.ui.shell import navigation
from core.ui.shell.live import CALM_S, live
from core.ui.shell.markup import literal
from core.workspace import Workspace


def watch(workspace: Workspace, listed: Sequence[Job], shown: str) -> None:
    """Draw the page anew when there is a training that is not `listed`; say which newer one goes on than the `shown`.

    What is shown stays: whoever reads a leaderboard is not taken away from it.
    """
    known = {job.id for job in listed}

    def look() -> Job | None:
        return next(iter(workspace.jobs.list(JobKind.AUTOML, limit=1)), None)

    def draw(newest: Job | None) -> None:
        if newest is None:
            return
        if newest.id not in known:
            st.rerun()
        if newest.id != shown and not newest.state.final:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(
                    f":blue[:material/progress_activity:] A newer training is under way: {literal(jobs.about(newest))}",
                    width="content",
                )
                navigation.link("Leaderboard", "Show it", job=newest.id)

    live(look, lambda _: CALM_S, draw)
