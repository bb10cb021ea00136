"""The Traffic tab: the course of time, status codes, and the deployments side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.domain.monitoring import DeploymentCourse, Disagreement, TelemetrySummary
from core.ui.kit import charts, notices, percentiles, words
from core.ui.monitor import over_time
from core.ui.monitor.asked import ORIGINS, lately, whose
from core.ui.monitor.opened import Opened


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the endpoint did, as a whole and deployment by deployment."""

    opened: Opened
    summary: TelemetrySummary
    courses: tuple[DeploymentCourse, ...]
    disagreement: tuple[Disagreement, ...]


def show(opened: Opened) -> None:
    """Requests and latency over time, for as long as the page follows."""
    opened.watch(lambda: look(opened), draw)


def look(opened: Opened) -> Traffic:
    """What takes a query of its own is looked at only where there is something to compare."""
    records, can, summary = opened.workspace.records, opened.workspace.can, opened.summary()
    deployments, several = opened.endpoint.deployments, len(summary.by_deployment) > 1
    mirrored = bool(opened.endpoint.mirror)
    return Traffic(
        opened,
        summary,
        records.course(opened.name, *opened.window, origin=opened.origin)
        if can("records.course") and (several or mirrored) and len(deployments) > 1
        else (),
        records.disagreement(opened.name, opened.window[0]) if can("records.disagreement") and mirrored else (),
    )


def draw(traffic: Traffic) -> None:
    """The charts, or who else has sent something."""
    if not traffic.summary.requests:
        _nothing(traffic)
        return
    _charts(traffic)
    _deployments(traffic.summary, traffic.courses)
    _disagreement(traffic.disagreement)


def _charts(traffic: Traffic) -> None:
    summary, opened = traffic.summary, traffic.opened
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Requests**")
        charts.show(over_time.requests(summary), key="monitor.requests", alt="Requests over time by outcome")
    with right:
        st.markdown("**Latency in the server**")
        figure = over_time.latency(summary, traffic.courses)
        charts.show(figure, key="monitor.latency", alt="Latency percentiles over time")
    with left:
        st.markdown("**Status codes**")
        timed = any(b.by_status for b in summary.buckets)
        codes = over_time.statuses(summary) if timed else over_time.by_status(summary.by_status)
        charts.show(codes, key="monitor.statuses", alt="Requests by HTTP status")
    with right:
        st.markdown("**Percentiles of the whole window**")
        st.table(_percentiles(summary))
    st.caption(
        f"{whose(opened.origin)}, {words.plural(summary.requests, 'request')} in {lately(opened.window[0])}. Hollow "
        f"points: a p95 of fewer than {percentiles.P95_MIN} requests, a p99 of fewer than {percentiles.P99_MIN}. A "
        "gap: no request in that interval."
    )


def _percentiles(summary: TelemetrySummary) -> dict[str, list[str]]:
    n = summary.requests
    return {
        "Server latency": ["p50", "p95", "p99"],
        "All requests": [
            words.milliseconds(summary.p50_ms),
            percentiles.p95(summary.p95_ms, n),
            percentiles.p99(summary.p99_ms, n),
        ],
    }


def _deployments(summary: TelemetrySummary, courses: Sequence[DeploymentCourse]) -> None:
    """Each deployment that answered, where several did."""
    told = summary.by_deployment
    if len(told) < 2:
        return
    mirrored = {course.deployment for course in courses if course.mirrored}
    st.markdown("**Deployments side by side**")
    st.dataframe(
        {
            "Deployment": [f"{name} (mirrored)" if name in mirrored else name for name in told],
            "Requests": [words.count(each.requests) for each in told.values()],
            "Rows": [words.count(each.rows) for each in told.values()],
            "Rejected": [words.percent(each.client_errors / each.requests) for each in told.values()],
            "Failed": [words.percent(each.server_errors / each.requests) for each in told.values()],
            "Server p50": [words.milliseconds(each.p50_ms) for each in told.values()],
            "Server p95": [percentiles.p95(each.p95_ms, each.requests) for each in told.values()],
            "Server p99": [percentiles.p99(each.p99_ms, each.requests) for each in told.values()],
        },
        hide_index=True,
        key="monitor.deployments",
    )


def _disagreement(found: Sequence[Disagreement]) -> None:
    """How often a mirrored deployment would have answered otherwise."""
    if not found:
        return
    st.markdown("**Mirrored deployments against the live one**")
    st.dataframe(
        {
            "Mirrored": [each.mirrored for each in found],
            "Live": [each.live for each in found],
            "Requests compared": [words.count(each.requests) for each in found],
            "Rows": [words.count(each.rows) for each in found],
            "Rows answered otherwise": [
                f"{words.count(each.different_rows)} ({words.percent(each.different_rows / each.rows)})"
                if each.rows
                else words.DASH
                for each in found
            ],
            "Mean difference": [words.number(each.mean_difference) for each in found],
            "Largest": [words.number(each.max_difference) for each in found],
        },
        hide_index=True,
        key="monitor.disagreement",
    )
    st.caption("Differences of the positive class's probability (0 to 1), or of the predicted number.")


def _nothing(traffic: Traffic) -> None:
    """Nothing was sent by whom is chosen: say who did send, and how to."""
    opened = traffic.opened
    if not opened.endpoint.limits.app_insights:
        notices.empty("Requests are not recorded", "Turn the records on in the Collection tab.", icon="monitoring")
        opened.link("Collection", "Open Collection")
        return
    others = {name: n for name, n in traffic.summary.by_origin.items() if n}
    told = ", ".join(f"{ORIGINS.get(name, name)} ({words.count(n)})" for name, n in others.items())
    there = f"Others sent requests in this window: {told}. Choose one under Sent by."
    notices.empty(
        f"No requests in this window ({whose(opened.origin)})",
        there if others else "Send one with a snippet of Deploy's Consume tab, or choose a longer window.",
        icon="monitoring",
        then=("Deploy", "Open Deploy"),
    )
