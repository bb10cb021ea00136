"""Status codes, and the newest requests."""

import streamlit as st

from core.ui.kit import charts, words
from core.ui.monitor.traffic import Traffic


def show(traffic: Traffic) -> None:
    """Requests by status, and the newest one by one."""
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.markdown("**Status codes**")
        charts.show(charts.statuses(traffic.summary.by_status), key="monitor.statuses", alt="Requests by HTTP status")
    with right:
        st.markdown("**Newest requests**")
        st.dataframe(
            {
                "At": [words.moment(r.at, traffic.now) for r in traffic.newest],
                "Status": [r.status for r in traffic.newest],
                "Deployment": [r.deployment or words.DASH for r in traffic.newest],
                "Rows": [r.rows for r in traffic.newest],
                "Latency": [words.milliseconds(r.elapsed_ms) for r in traffic.newest],
                "In": [words.size(r.bytes_in) for r in traffic.newest],
                "Out": [words.size(r.bytes_out) for r in traffic.newest],
                "Request ID": [r.request_id for r in traffic.newest],
            },
            hide_index=True,
            height=min(38 + 35 * len(traffic.newest), 260),
            key="monitor.newest",
        )
