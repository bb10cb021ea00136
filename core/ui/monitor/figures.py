"""An endpoint's traffic in figures."""

import streamlit as st

from core.domain.monitoring import TelemetrySummary, is_server_error
from core.ui.kit import words
from core.ui.monitor.traffic import Traffic


def failing(summary: TelemetrySummary) -> tuple[int, int]:
    """How many requests were refused (4xx) and how many failed (5xx, and 424 where the model itself failed)."""
    failed = sum(n for status, n in summary.by_status.items() if is_server_error(status))
    return sum(n for status, n in summary.by_status.items() if status >= 400) - failed, failed


def show(traffic: Traffic) -> None:
    """Requests, rows, latencies, and the shares that were refused and that failed."""
    summary = traffic.summary
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
