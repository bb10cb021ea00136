"""What the endpoint's server logged."""

import streamlit as st

from core.ui.kit import logs
from core.ui.monitor.traffic import Traffic


def show(traffic: Traffic) -> None:
    """The newest lines."""
    st.subheader("Server log", anchor=False)
    logs.show(traffic.log, traffic.now)
