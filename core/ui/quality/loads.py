"""Load tests of every endpoint."""

import streamlit as st

from core.ui.kit import percentiles, tables, words
from core.ui.shell import abilities, navigation
from core.workspace import Workspace


def draw_loads(workspace: Workspace, now: float) -> None:
    """Load tests, newest first."""
    st.subheader("Load tests", anchor=False)
    if reason := abilities.lacking("proofs.load_reports"):
        abilities.say("Load tests", reason)
        return
    reports = workspace.proofs.load_reports()
    if not reports:
        st.caption("No load test has run yet. Run one on the Deploy page, under Load test.")
        return
    st.caption("Latencies are the load client's, at that many connections. Click a row to open its report on Deploy.")
    picked = st.dataframe(
        {
            "At": [words.moment(r.created_at, now) for r in reports],
            "Endpoint": [r.endpoint or r.url for r in reports],
            "Load": [r.label or words.DASH for r in reports],
            "Connections": [r.concurrency for r in reports],
            "Rows per request": [r.rows for r in reports],
            "Requests/s": [r.requests_per_s for r in reports],
            "Client p50": [words.milliseconds(r.p50_ms if r.requests > r.failed else None) for r in reports],
            "Client p99": [percentiles.p99(r.p99_ms, r.requests - r.failed) for r in reports],
            "Failed": [f"{r.failed:,} of {r.requests:,}" for r in reports],
        },
        hide_index=True,
        key="quality.loads",
        on_select="rerun",
        selection_mode=tables.BY_ROW,
        column_config={"Requests/s": st.column_config.NumberColumn(format="%,.0f")},
    )
    row = tables.clicked(picked["selection"])
    if row is not None and row < len(reports) and reports[row].endpoint:
        opened = reports[row]
        navigation.go("Deploy", endpoint=opened.endpoint, use="Load test", load=opened.id)
