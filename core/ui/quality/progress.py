"""The gate that runs, with the way to stop it."""

import streamlit as st

from core.domain.job import Job
from core.ui.kit import gates as kit
from core.ui.kit import jobs, notices, words
from core.ui.quality.gates import Gates
from core.ui.shell import actions, failures
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal


def show(gates: Gates) -> None:
    """The gate that runs, or why the one that was asked for came to nothing."""
    if gates.job is not None and gates.running:
        _progress(gates, gates.job)
    elif gates.job is not None and gates.job.message:
        failures.say(gates.job.message, gates.job.hint)


def _progress(gates: Gates, job: Job) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{literal(jobs.about(job))}**", width="content")
            with st.container(horizontal=True, width="content", vertical_alignment="center"):
                notices.badge(words.state(job.state), "Stopping" if job.stopping else "")
                if st.button(
                    "Stop", key=f"quality.stop.{job.id}", icon=":material/stop_circle:", **able("jobs.cancel")
                ):
                    actions.run("Stopping", gates.workspace.jobs.cancel, job.id)
        kit.progress(job, gates.judged, kit.expected(gates.reports), gates.now)
