"""The Live metrics tab: the last minute, second by second."""

import time
from dataclasses import dataclass

import streamlit as st

from core.domain.monitoring import RequestRecord, TelemetrySummary
from core.ui.kit import charts, words
from core.ui.monitor import over_time, request_table
from core.ui.monitor.asked import whose
from core.ui.monitor.delays import said_late
from core.ui.monitor.opened import Opened
from core.ui.shell.live import FAST_S, live

MINUTE_S = 60
RECENT_S = 10
NEWEST = 8


@dataclass(frozen=True, slots=True)
class Minute:
    """The last 60 seconds."""

    summary: TelemetrySummary
    newest: tuple[RequestRecord, ...]
    now: float


def show(opened: Opened) -> None:
    """Every second, until it is turned off."""
    follow = st.toggle("Every second", value=True, key="monitor.second", help="Look again every second.")
    live(lambda: look(opened), lambda _: FAST_S if follow else None, lambda minute: draw(opened, minute))


def look(opened: Opened) -> Minute:
    """One short query, of what was recorded last."""
    records = opened.workspace.records
    summary = records.telemetry(opened.name, MINUTE_S, MINUTE_S, origin=opened.origin)
    some = summary.requests and opened.workspace.can("records.requests")
    newest = records.requests(opened.name, NEWEST, origin=opened.origin) if some else ()
    return Minute(summary, newest, time.time())


def draw(opened: Opened, minute: Minute) -> None:
    """How much, how fast, how wrong; then the newest requests."""
    summary = minute.summary
    last = summary.buckets[-1 - RECENT_S : -1]  # the newest second is still filling
    n = sum(b.requests for b in last)
    wrong = sum(b.client_errors + b.server_errors for b in last)
    figures = (
        ("Requests/s", f"{n / RECENT_S:,.1f}"),
        ("Rows/s", f"{sum(b.rows for b in last) / RECENT_S:,.1f}"),
        ("Rejected or failed/s", f"{wrong / RECENT_S:,.1f}"),
        ("Server p50, last minute", words.milliseconds(summary.p50_ms)),
        ("Server p95, last minute", words.milliseconds(summary.p95_ms)),
    )
    for column, (label, value) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(label, value)
    left, right = st.columns(2, gap="medium")
    with left:
        charts.show(over_time.requests(summary), key="monitor.live.requests", alt="Requests in each second")
    with right:
        charts.show(over_time.latency(summary), key="monitor.live.latency", alt="Latency in each second")
    if minute.newest:
        request_table.show(minute.newest, minute.now, key="monitor.live.newest")
    st.caption(
        f"{whose(opened.origin)}, {words.plural(summary.requests, 'request')} in the last {MINUTE_S} s, to "
        f"{words.moment(minute.now, minute.now)}. Rates: the last {RECENT_S} whole seconds. {said_late()}"
    )
