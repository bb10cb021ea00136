"""An endpoint's traffic in figures: whose requests, how fast the server was, and each deployment's part."""

import streamlit as st

from core.domain.monitoring import TelemetrySummary, is_server_error
from core.ui.kit import percentiles, words
from core.ui.monitor.asked import EVERYBODY, ORIGINS
from core.ui.monitor.traffic import Traffic

SERVER = "Time in the server, from a request's arrival to its answer, without the network"


def failing(summary: TelemetrySummary) -> tuple[int, int]:
    """How many requests were rejected (4xx) and how many failed (5xx, and 424 where the model itself failed)."""
    failed = sum(n for status, n in summary.by_status.items() if is_server_error(status))
    return sum(n for status, n in summary.by_status.items() if status >= 400) - failed, failed


def whose(traffic: Traffic) -> str:
    """Whose requests these are."""
    return ORIGINS[traffic.origin or EVERYBODY]


def show(traffic: Traffic) -> None:
    """Requests, rows, latencies, and the shares that were rejected and that failed."""
    summary = traffic.summary
    rejected, failed = failing(summary)
    n = summary.requests
    p95_none, p99_none = percentiles.why_none(n, percentiles.P95_MIN), percentiles.why_none(n)
    figures = (
        ("Requests", words.count(n), f"Sent by: {whose(traffic)}."),
        ("Rows scored", words.count(summary.rows), "Rows of these requests."),
        ("Server p50", words.milliseconds(summary.p50_ms), f"{SERVER}: 50 of 100 requests took at most this."),
        (
            "Server p95",
            percentiles.p95(summary.p95_ms, n),
            f"{SERVER}: 95 of 100 requests took at most this.{p95_none}",
        ),
        (
            "Server p99",
            percentiles.p99(summary.p99_ms, n),
            f"{SERVER}: 99 of 100 requests took at most this.{p99_none}",
        ),
        ("Rejected", words.percent(rejected / n if n else None), "Status 4xx but 424: the client's mistake."),
        ("Failed", words.percent(failed / n if n else None), "Status 5xx or 424: the endpoint's mistake."),
    )
    for column, (label, value, explained) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(label, value, help=explained)


def by_deployment(traffic: Traffic) -> None:
    """Each deployment that answered, where several did."""
    told = traffic.summary.by_deployment
    if len(told) < 2:
        return
    st.markdown("**By deployment**")
    st.dataframe(
        {
            "Deployment": list(told),
            "Requests": [words.count(each.requests) for each in told.values()],
            "Rows": [words.count(each.rows) for each in told.values()],
            "Rejected": [words.percent(each.client_errors / each.requests) for each in told.values()],
            "Failed": [words.percent(each.server_errors / each.requests) for each in told.values()],
            "Server p50": [words.milliseconds(each.p50_ms) for each in told.values()],
            "Server p99": [percentiles.p99(each.p99_ms, each.requests) for each in told.values()],
        },
        hide_index=True,
        key="monitor.deployments",
    )
