"""The Keys tab: show, copy and rotate the two keys of an endpoint."""

import streamlit as st

from core.domain.endpoint import Endpoint
from core.ui.shell import actions
from core.ui.shell.abilities import able
from core.ui.shell.drafts import draft
from core.workspace import Workspace


def show(workspace: Workspace, endpoint: Endpoint) -> None:
    """Both keys, fetched only when asked for, and a way to rotate each."""
    st.markdown(
        "Each request needs one of the two keys, as `Authorization: Bearer KEY`. There are two so that they can be "
        "rotated without downtime: switch every client to the other key, then rotate this one."
    )
    if not st.toggle("Show the keys", key=f"deploy.show_keys.{endpoint.name}"):
        return
    found = actions.run("Fetching the keys", workspace.endpoints.keys, endpoint.name)
    if found is None:
        return
    both = {"primary": found.primary, "secondary": found.secondary}
    begun = draft(f"keys.{endpoint.name}", {f"{which} key": f"ending in {key[-4:]}" for which, key in both.items()})
    for which, key in both.items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{which.capitalize()}**", width=110)
            st.code(key, language=None, width="stretch")
            with st.popover("Rotate", icon=":material/autorenew:"):
                st.markdown("Within a second the old key is rejected with 401, for every client that still sends it.")
                clicked = st.button(
                    f"Rotate the {which} key",
                    key=f"deploy.rotate.{which}",
                    type="primary",
                    **able("endpoints.rotate_key"),
                )
        if clicked:
            begun.save("Rotating the key", workspace.endpoints.rotate_key, endpoint.name, which)
