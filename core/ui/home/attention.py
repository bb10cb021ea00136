"""What needs a person: pipelines whose last run failed, and schedules that nobody looks at any more."""

from collections.abc import Sequence

import streamlit as st

from core.domain.job import JobState
from core.domain.run import RunSummary
from core.ui.home.overview import Overview
from core.ui.kit import words
from core.ui.shell import abilities, cached, navigation
from core.ui.shell.cached import Service
from core.ui.shell.markup import literal

SCHEDULER_LATE_S = 60.0
"""The service looks at its schedules several times a second; after so long without a look they have stopped."""
SHOWN_MAX = 5


def show(seen: Overview) -> None:
    """Nothing at all on a good day."""
    stopped = "" if abilities.lacking("service.status") else scheduler_stopped(cached.service(), seen.now)
    if not (stopped or seen.failed):
        return
    with st.container(border=True, gap="small"):
        st.markdown(":red[:material/error:] **Needs attention**")
        if stopped:
            st.markdown(stopped)
        _runs(seen.failed, seen.now)


def scheduler_stopped(service: Service, now: float) -> str:
    """That schedules fire no more, and since when; empty while they do, and while the whole service is down."""
    status = service.status
    if status is None or not status.running:
        return ""
    looked = status.scheduler_looked_at
    late_s = now - max(looked or 0.0, status.started_at or now)
    if late_s < SCHEDULER_LATE_S and not status.scheduler_error:
        return ""
    last = f"They were last looked at {words.ago(looked, now)}." if looked else "They were never looked at."
    cause = f" Cause: {literal(status.scheduler_error)}." if status.scheduler_error else ""
    return (
        f"**Schedules have stopped.** {last}{cause} Nothing starts by itself until they go on. Restart the service: "
        "`python -m core service stop`, then `python -m core service start`."
    )


def _runs(failed: Sequence[RunSummary], now: float) -> None:
    for run in failed[:SHOWN_MAX]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{literal(run.pipeline)}** failed {words.ago(run.ended_at, now)}: {literal(run.message)}")
            navigation.link("Pipelines", f"Run {run.number}", run=run.id)
    if len(failed) > SHOWN_MAX:
        navigation.link("Pipelines", f"All {len(failed)} that failed", view="Runs", state=JobState.FAILED)
