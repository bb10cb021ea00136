"""The course of time: requests by outcome, and latency."""

import streamlit as st

from core.ui.kit import charts
from core.ui.monitor.traffic import Traffic


def show(traffic: Traffic) -> None:
    """Two charts over the window."""
    summary = traffic.summary
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Requests**")
        charts.show(charts.requests(summary.buckets), key="monitor.requests", alt="Requests over time by outcome")
    with right:
        st.markdown("**Latency in the server**")
        charts.show(charts.latency(summary.buckets), key="monitor.latency", alt="Latency percentiles over time")
