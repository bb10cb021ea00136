"""Requests, one in a row."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.domain.monitoring import RequestRecord
from core.ui.kit import words
from core.ui.monitor.asked import ORIGINS
from core.ui.shell.markup import literal


def show(
    requests: Sequence[RequestRecord],
    now: float,
    *,
    key: str,
    height: int = 330,
    on_select: Callable[[], None] | None = None,
) -> None:
    """The table; a click on a row calls `on_select`."""
    more: dict[str, Any] = {"on_select": on_select, "selection_mode": "single-row"} if on_select else {}
    st.dataframe(
        cells(requests, now), hide_index=True, height=min(38 + 35 * max(1, len(requests)), height), key=key, **more
    )


def cells(requests: Sequence[RequestRecord], now: float) -> dict[str, list[Any]]:
    """By heading; what went wrong only where something did."""
    told: dict[str, list[Any]] = {
        "At": [words.moment(r.at, now) for r in requests],
        "Status": [r.status for r in requests],
        "Latency": [words.milliseconds(r.elapsed_ms) for r in requests],
        "Rows": [r.rows for r in requests],
        "Deployment": [r.deployment or words.DASH for r in requests],
    }
    if any(r.problem for r in requests):
        told["Problem"] = [words.identifier(r.problem) for r in requests]
    return {**told, "Request ID": [r.request_id for r in requests]}


def facts(request: RequestRecord, now: float) -> dict[str, list[str]]:
    """One request in full, as `st.table` takes it: its cells are Markdown."""
    told = {
        "At": words.moment(request.at, now),
        "Status": str(request.status),
        "Problem": words.identifier(request.problem),
        "Latency": f"{request.elapsed_ms:,.2f} ms" + (f", model {request.run_ms:,.2f} ms" if request.run_ms else ""),
        "Rows": words.count(request.rows),
        "Size": f"{words.size(request.bytes_in)} in, {words.size(request.bytes_out)} out",
        "Deployment": request.deployment,
        "Sent by": ORIGINS.get(request.origin, request.origin),
        "Request ID": request.request_id,
        "Client's ID": request.client_request_id,
        "Trace ID": request.trace_id,
    }
    shown = {label: value for label, value in told.items() if value}
    return {"Of this request": list(shown), "": list(map(literal, shown.values()))}
