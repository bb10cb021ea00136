"""The Keys tab: show, copy and replace the two keys of an endpoint."""

import streamlit as st

from core.domain.endpoint import Endpoint
from core.ui.shell import actions
from core.ui.shell.abilities import able
from core.workspace import Workspace


def show(workspace: Workspace, endpoint: Endpoint) -> None:
    """Both keys, fetched only when asked for, and a way to replace each."""
    st.markdown(
        "Each request needs one of two keys, as `Authorization: Bearer KEY`. Two, so that one can be replaced in "
        "peace: move every client to the other one, then replace this one."
    )
    if not st.toggle("Show the keys", key=f"deploy.show_keys.{endpoint.name}"):
        return
    found = actions.run("Fetching the keys", workspace.endpoints.keys, endpoint.name)
    if found is None:
        return
    for which, key in (("primary", found.primary), ("secondary", found.secondary)):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{which.capitalize()}**", width=110)
            st.code(key, language=None, width="stretch")
            with st.popover("Replace", icon=":material/autorenew:"):
                st.markdown("Within a second the old key is refused with 401, for everybody who still sends it.")
                if st.button(
                    f"Replace the {which} key",
                    key=f"deploy.rotate.{which}",
                    type="primary",
                    **able("endpoints.rotate_key"),
                ):
                    actions.apply("Replacing the key", workspace.endpoints.rotate_key, endpoint.name, which)
