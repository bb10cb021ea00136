"""What runs, and what ran lately."""

import streamlit as st

from core.ui.home.overview import Overview
from core.ui.kit import jobs


def show(seen: Overview) -> None:
    """Each job that runs, and the last ones that ended."""
    st.subheader("What runs", anchor=False)
    for job in seen.running:
        jobs.progress(job, seen.trials.get(job.id, ()), seen.now)
    if not seen.running:
        st.caption("Nothing at the moment.")
    if done := [j for j in seen.jobs if j.state.final][:6]:
        st.markdown("**Lately**")
        jobs.lately(done, seen.now)
