"""What needs a person: alerts that fire or cannot be read, pipelines that failed, schedules that nobody looks at."""

from collections.abc import Sequence

import streamlit as st

from core.domain.alerts import Alert, UnreadableAlert
from core.domain.job import JobState
from core.domain.monitoring import SCHEDULER_SILENT_S, ServiceStatus
from core.domain.run import RunSummary
from core.ui.home.overview import Overview
from core.ui.kit import words
from core.ui.shell import abilities, cached, navigation
from core.ui.shell.markup import literal

SHOWN_MAX = 5


def show(seen: Overview) -> None:
    """Nothing at all on a good day."""
    trouble = "" if abilities.lacking("service.status") else _trouble(cached.service().status, seen.now)
    if not (trouble or seen.failed or seen.firing or seen.unreadable_alerts):
        return
    with st.container(border=True, gap="small"):
        st.markdown(":red[:material/error:] **Needs attention**")
        if trouble:
            _scheduler(trouble)
        _alerts(seen.firing, seen.now)
        _unreadable(seen.unreadable_alerts)
        _runs(seen.failed, seen.now)


def _alerts(firing: Sequence[Alert], now: float) -> None:
    for alert in firing[:SHOWN_MAX]:
        with st.container(horizontal=True, vertical_alignment="center"):
            said = literal(alert.text or alert.rule.endpoint)
            st.markdown(f"Alert **{literal(alert.rule.name)}** fires since {words.moment(alert.since, now)}: {said}")
            navigation.link("Monitor", "Alerts", endpoint=alert.rule.endpoint, watch="Alerts")
    if len(firing) > SHOWN_MAX:
        st.caption(f"And {words.plural(len(firing) - SHOWN_MAX, 'more alert')}.")


def _unreadable(alerts: Sequence[UnreadableAlert]) -> None:
    for alert in alerts[:SHOWN_MAX]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Alert **{literal(alert.name)}** watches nothing: its rule cannot be read")
            navigation.link("Monitor", "Alerts", endpoint=alert.endpoint, watch="Alerts")
    if len(alerts) > SHOWN_MAX:
        st.caption(f"And {words.plural(len(alerts) - SHOWN_MAX, 'more alert')} that cannot be read.")


def _scheduler(trouble: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(trouble)
        navigation.link("Pipelines", "Schedules", view="Schedules")


def _trouble(status: ServiceStatus | None, now: float) -> str:
    """Why schedules do not fire as they should, and what to do (Markdown); empty where they do."""
    trouble = status.scheduler_trouble(now) if status else ""
    if status is None or not trouble:
        return ""
    if status.running and now - (status.scheduler_looked_at or now) <= SCHEDULER_SILENT_S:
        return f"**{literal(trouble)}**"
    start = "`python -m core service start`"
    how = f"Restart it: `python -m core service stop`, then {start}." if status.running else f"Start it: {start}."
    return f"**{literal(trouble)}.** Nothing starts by itself meanwhile. {how}"


def _runs(failed: Sequence[RunSummary], now: float) -> None:
    for run in failed[:SHOWN_MAX]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{literal(run.pipeline)}** failed {words.ago(run.ended_at, now)}: {literal(run.message)}")
            navigation.link("Pipelines", f"Run {run.number}", run=run.id)
    if len(failed) > SHOWN_MAX:
        navigation.link("Pipelines", f"All {len(failed)} that failed", view="Runs", state=JobState.FAILED)
