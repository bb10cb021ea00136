"""Load tests of every endpoint."""

import streamlit as st

from core.ui.kit import words
from core.ui.shell import abilities
from core.workspace import Workspace


def draw_loads(workspace: Workspace, now: float) -> None:
    """Load tests, newest first."""
    st.subheader("Load tests", anchor=False)
    if reason := abilities.lacking("proofs.load_reports"):
        abilities.say("Load tests", reason)
        return
    reports = workspace.proofs.load_reports()
    if not reports:
        st.caption("No load test was run. `python -m core loadtest URL` runs one against any endpoint.")
        return
    st.dataframe(
        {
            "At": [words.moment(r.created_at, now) for r in reports],
            "Requests/s": [r.requests_per_s for r in reports],
            "p50": [words.milliseconds(r.p50_ms) for r in reports],
            "p95": [words.milliseconds(r.p95_ms) for r in reports],
            "p99": [words.milliseconds(r.p99_ms) for r in reports],
            "Failed": [f"{r.failed:,} of {r.requests:,}" for r in reports],
            "Clients": [r.concurrency for r in reports],
            "Rows each": [r.rows for r in reports],
            "Address": [r.url for r in reports],
        },
        hide_index=True,
        key="quality.loads",
        column_config={"Requests/s": st.column_config.NumberColumn(format="%,.0f")},
    )
