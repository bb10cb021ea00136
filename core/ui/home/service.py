"""The workspace's service, in a line."""

import streamlit as st

from core.ui.home.overview import Overview
from core.ui.kit import words
from core.ui.shell import cached
from core.ui.shell.abilities import lacking


def show(seen: Overview) -> None:
    """Its version, and what it has to do."""
    if lacking("service.status"):
        return
    st.subheader("Service", anchor=False)
    service = cached.service()
    if service.status is None or not service.status.running:
        st.caption("It is starting." if service.starting else "It is down: start it in the sidebar.")
        return
    waiting = sum(j.started_at is None for j in seen.running)
    st.caption(
        f"Version {service.status.version}, up since {words.moment(service.status.started_at, seen.now)} · "
        f"{words.plural(len(seen.running) - waiting, 'job')} running, {waiting} queued · "
        f"{words.plural(len(seen.endpoints), 'endpoint')}"
    )
