"""The course of time: requests by outcome, and how long answers took."""

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
        st.markdown("**Time to answer**")
        charts.show(charts.latency(summary.buckets), key="monitor.latency", alt="Latency percentiles over time")
