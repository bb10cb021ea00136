"""The Keys tab: the two keys of an endpoint."""

import streamlit as st

from core.domain.endpoint import Endpoint
from core.ui.kit import keys
from core.workspace import Workspace

ROTATED = "Within a second the old key is rejected with 401, for every client that still sends it."


def show(workspace: Workspace, endpoint: Endpoint) -> None:
    """What they are for, and both of them on request."""
    verbs = workspace.endpoints
    st.markdown(
        "Each request needs one of the two keys, as `Authorization: Bearer KEY`. There are two so that they can be "
        "rotated without downtime: switch every client to the other key, then rotate this one."
    )
    keys.show("endpoints", endpoint.name, verbs.keys, verbs.rotate_key, rotated=ROTATED)
