"""The Swagger tab: Swagger UI on the document of this endpoint, or of any other, Azure's too; from our own files."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.components.v1 import declare_component

from core.domain.endpoint import Endpoint
from core.swagger_ui import FOLDER
from core.ui.deploy import documents
from core.ui.shell import abilities, actions
from core.workspace import Workspace

# Streamlit serves the folder itself, so the browser fetches the 1.7 MB once and keeps them.
_swagger_ui = declare_component("swagger_ui", path=str(FOLDER))

VERSIONS = {"2": "Swagger 2.0", "3": "OpenAPI 3.0", "3.1": "OpenAPI 3.1"}
OURS, OTHER = "This endpoint", "Another document"


def show(workspace: Workspace, endpoint: Endpoint) -> None:
    """Choose a document and see it."""
    with st.container(horizontal=True, vertical_alignment="top"):
        which = st.segmented_control("Document", (OURS, OTHER), default=OURS, required=True, key="swagger.which")
        version = _version() if which == OURS else ""
    if which == OURS and (reason := abilities.lacking("endpoints.swagger")):
        abilities.say(OURS, reason)
        return
    document = _ours(workspace, endpoint, version) if which == OURS else _other()
    if document is None:
        return
    if which == OURS and endpoint.docs_uri:
        st.caption(f"The endpoint's own page can also try its operations: [{endpoint.docs_uri}]({endpoint.docs_uri})")
    _swagger_ui(document=document, key="swagger.ui")


def _version() -> str:
    return st.selectbox("Version", list(VERSIONS), key="swagger.version", format_func=VERSIONS.__getitem__, width=180)


def _ours(workspace: Workspace, endpoint: Endpoint, version: str) -> Mapping[str, Any] | None:
    return actions.run("Fetching the document", workspace.endpoints.swagger, endpoint.name, version)


def _other() -> Mapping[str, Any] | None:
    """A document of any API, such as an Azure endpoint's: from its address, or from a file."""
    with st.form("swagger.fetch", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        url = st.text_input("Address", key="swagger.url", placeholder="https://host/swagger.json").strip()
        key = st.text_input("Key, where it asks for one", key="swagger.key", type="password", width=260)
        st.form_submit_button("Fetch")
    if url:
        return actions.run("Fetching the document", documents.fetch, url, key)
    given = st.file_uploader("Or a swagger.json or openapi.yaml", type=["json", "yaml", "yml"], key="swagger.file")
    return actions.run("Reading the document", documents.parse, given.getvalue()) if given is not None else None
