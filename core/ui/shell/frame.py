"""The frame of every page: navigation, heading, and the service's state at the foot of the sidebar."""

from pathlib import Path

import streamlit as st

from core.domain.errors import SlipwayError
from core.ui.shell import abilities, actions, address, backends, browser, cached, failures, heap, navigation, style
from core.ui.shell.live import CALM_S, FAST_S, live
from core.ui.shell.markup import literal
from core.ui.shell.state import state
from core.workspace import Workspace


def route() -> None:
    """Declare the navigation and run the page that the address names. Only `app.py` calls this."""
    page = navigation.declare()
    state.routed = True
    page.run()


def frame(title: str) -> None:
    """Begin the page called `title`: the first line of every page.

    Streamlit runs a page file without `app.py` on a deep link to a freshly started server; then the navigation is
    declared here, without being run. A workspace that cannot be opened ends the page with cause and hint.
    """
    if not state.routed:
        navigation.declare_beside()
    state.routed = False
    heap.settle()
    address.begin(title)
    backends.settle()
    page = navigation.entry(title)
    style.apply()
    st.title(title, anchor=False)
    st.caption(page.lead)
    try:
        workspace = cached.workspace()
    except SlipwayError as error:
        failures.show(error)
        st.stop()
    if workspace.notice:
        st.info(literal(workspace.notice), icon=":material/science:")
    with st.sidebar:
        _foot(workspace)
        browser.apply()
    if reason := abilities.lacking(*page.needs):
        abilities.say(title, reason)
        st.stop()


def _foot(workspace: Workspace) -> None:
    """Which workspace this is, and where it has a service, how that is."""
    if abilities.lacking("service.status"):
        st.caption(f"Workspace `{workspace.settings.workspace}`")
        return
    live(cached.service, lambda service: FAST_S if service.starting else CALM_S, _service_foot)


def _service_foot(service: cached.Service) -> None:
    if service.status is not None and service.status.running:
        st.badge("Service running", icon=":material/check_circle:", color="green")
        st.caption(f"Workspace `{_short(service.status.home)}`")
    elif service.starting:
        st.badge("Service starting", icon=":material/progress_activity:", color="blue")
    else:
        _service_down(service)


def _service_down(service: cached.Service) -> None:
    st.badge("Service stopped", icon=":material/error:", color="red")
    st.caption("Training, deployments and gates wait until it runs. Endpoints keep answering.")
    if service.error is not None:
        st.caption(f":red[{literal(service.error.message)}] {literal(service.error.hint)}")
    if st.button("Start", icon=":material/play_arrow:", key="frame.start_service", **abilities.able("service.start")):
        actions.apply("Starting the service", cached.start_service)


def _short(home: str) -> str:
    """The folder's last two names: enough to tell two workspaces apart, short enough for the sidebar."""
    return "/".join(Path(home).parts[-2:])
