"""What an endpoint was asked and how it answered, over a window of time."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.domain.data import DataAsset
from core.domain.job import LogLine
from core.domain.monitoring import Origin, RequestRecord, TelemetrySummary
from core.ui.kit import charts, endpoints, logs, notices, words
from core.ui.shell import cached
from core.ui.shell.live import CALM_S
from core.workspace import Workspace

WINDOWS = {"15 min": (900.0, 30), "1 h": (3_600.0, 60), "24 h": (86_400.0, 48), "7 days": (604_800.0, 56)}
"""Label -> (seconds, buckets)."""

ORIGINS: Mapping[str, Origin | None] = {
    "Clients": Origin.CLIENT,
    "The Test form": Origin.APP,
    "Batch jobs": Origin.BATCH,
    "Load tests": Origin.LOADTEST,
    "Gates, to compare": Origin.SHADOW,
    "Checks": Origin.GATE,
    "Everybody": None,
}
"""Label -> whose requests."""

WATCH_S = CALM_S / 2


@dataclass(frozen=True, slots=True)
class Watched:
    """An endpoint's traffic at one moment."""

    name: str
    summary: TelemetrySummary
    newest: tuple[RequestRecord, ...]
    log: tuple[LogLine, ...]
    data: DataAsset | None
    now: float


def choose_window() -> tuple[float, int]:
    """The seconds to look back, and in how many intervals."""
    picked = st.segmented_control(
        "Window", list(WINDOWS), default="1 h", required=True, key="window", bind="query-params"
    )
    return WINDOWS[picked or "1 h"]


def choose_origin() -> Origin | None:
    """Whose requests to show; None for all."""
    names = list(ORIGINS)
    return ORIGINS[str(st.selectbox("Sent by", names, key="monitor.origin"))]


def look(workspace: Workspace, name: str, window: tuple[float, int], origin: Origin | None) -> Watched:
    """The endpoint's records as they are now; what a server wrote is seen here at once."""
    live = endpoints.served(workspace, workspace.endpoint(name))
    return Watched(
        name=name,
        summary=cached.telemetry(name, *window, origin),
        newest=workspace.requests(name, limit=50, origin=origin),
        log=workspace.endpoint_logs(name, limit=100),
        data=live[0].data if live else None,
        now=time.time(),
    )


def draw(seen: Watched) -> None:
    """Totals, the course of time, how requests ended, and the newest of them."""
    notices.twin(seen.data)
    if not seen.summary.requests:
        notices.empty(
            "No request in this time",
            "Run one of the Consume snippets of the Deploy page, and look again. What the Test form, batches and load "
            "tests sent is counted apart: choose it under Sent by.",
            icon="monitoring",
        )
    else:
        _figures(seen.summary)
        _charts(seen.summary)
        _newest(seen)
    st.subheader("The server's log", anchor=False)
    logs.show(seen.log, seen.now)


def failing(summary: TelemetrySummary) -> tuple[int, int]:
    """How many requests were refused (4xx) and how many failed (5xx, and 424 where the model itself failed)."""
    failed = sum(n for status, n in summary.by_status.items() if words.is_ours(status))
    return sum(n for status, n in summary.by_status.items() if status >= 400) - failed, failed


def _figures(summary: TelemetrySummary) -> None:
    refused, failed = failing(summary)
    figures = (
        ("Requests", words.count(summary.requests), ""),
        ("Rows scored", words.count(summary.rows), ""),
        ("p50", words.milliseconds(summary.p50_ms), "Half of the requests were answered in at most this time."),
        ("p95", words.milliseconds(summary.p95_ms), "95 of 100 requests were answered in at most this time."),
        ("p99", words.milliseconds(summary.p99_ms), "99 of 100 requests were answered in at most this time."),
        ("Refused", words.percent(refused / summary.requests), "Answered 4xx: the client's mistake."),
        ("Failed", words.percent(failed / summary.requests), "Answered 5xx or 424: ours."),
    )
    for column, (label, value, explained) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(label, value, help=explained or None)


def _charts(summary: TelemetrySummary) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Requests**")
        charts.show(charts.requests(summary.buckets), key="monitor.requests", alt="Requests over time by outcome")
    with right:
        st.markdown("**Time to answer**")
        charts.show(charts.latency(summary.buckets), key="monitor.latency", alt="Latency percentiles over time")


def _newest(seen: Watched) -> None:
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.markdown("**How they ended**")
        charts.show(charts.statuses(seen.summary.by_status), key="monitor.statuses", alt="Requests by HTTP status")
    with right:
        st.markdown("**The newest requests**")
        st.dataframe(
            {
                "At": [words.moment(r.at, seen.now) for r in seen.newest],
                "Status": [r.status for r in seen.newest],
                "Deployment": [r.deployment or words.DASH for r in seen.newest],
                "Rows": [r.rows for r in seen.newest],
                "Time": [words.milliseconds(r.elapsed_ms) for r in seen.newest],
                "In": [words.size(r.bytes_in) for r in seen.newest],
                "Out": [words.size(r.bytes_out) for r in seen.newest],
                "Request id": [r.request_id for r in seen.newest],
            },
            hide_index=True,
            height=min(38 + 35 * len(seen.newest), 260),
            key="monitor.newest",
        )
