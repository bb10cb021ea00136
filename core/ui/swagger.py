"""The Swagger tab: Swagger UI on the document of this endpoint, or of any other, Azure's too; from our own files."""

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st
import yaml
from streamlit.components.v1 import declare_component

from core.domain.endpoint import Endpoint
from core.domain.errors import SpecInvalid
from core.swagger_ui import FOLDER
from core.ui import actions, notices
from core.workspace import Workspace

# Streamlit serves the folder itself, so the browser fetches the 1.7 MB once and keeps them.
_swagger_ui = declare_component("swagger_ui", path=str(FOLDER))

VERSIONS = {"2": "Swagger 2.0", "3": "OpenAPI 3.0", "3.1": "OpenAPI 3.1"}
OURS, OTHER = "This endpoint", "Another document"
DOCUMENT_BYTES_MAX = 5_000_000


def show(workspace: Workspace, endpoint: Endpoint) -> None:
    """Choose a document and see it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        which = st.segmented_control("Document", (OURS, OTHER), default=OURS, required=True, key="swagger.which")
        version = st.selectbox(
            "Version", list(VERSIONS), key="swagger.version", format_func=VERSIONS.__getitem__, width=180
        )
    document = _ours(workspace, endpoint, version) if which == OURS else _other()
    if document is None:
        return
    if which == OURS:
        root = endpoint.scoring_uri.removesuffix("/score")
        st.caption(f"The endpoint's own page can also try its operations: [{root}/docs]({root}/docs)")
    _swagger_ui(document=document, key="swagger.ui")


def _ours(workspace: Workspace, endpoint: Endpoint, version: str) -> Mapping[str, Any] | None:
    return actions.run("Fetching the document", workspace.swagger, endpoint.name, version)


def _other() -> Mapping[str, Any] | None:
    """A document of any API that somebody has as a file, such as an Azure endpoint's swagger.json."""
    given = st.file_uploader("A swagger.json or openapi.yaml", type=["json", "yaml", "yml"], key="swagger.file")
    if given is None:
        return None
    try:
        return parse(given.getvalue())
    except SpecInvalid as e:
        notices.problem(e.message, e.hint)
        return None


def parse(raw: bytes) -> Mapping[str, Any]:
    """An OpenAPI document from JSON or YAML. Raises SpecInvalid that says what is wrong with it."""
    if len(raw) > DOCUMENT_BYTES_MAX:
        raise SpecInvalid(f"The document has {len(raw):,} bytes, at most {DOCUMENT_BYTES_MAX:,} are shown")
    try:
        document = json.loads(raw)
    except ValueError:
        try:
            document = yaml.safe_load(raw)
        except (yaml.YAMLError, UnicodeDecodeError) as e:
            raise SpecInvalid("The file is neither JSON nor YAML", hint="Give a swagger.json") from e
    if not isinstance(document, dict) or not {"swagger", "openapi"} & document.keys():
        raise SpecInvalid("The file is no OpenAPI document: it has neither `swagger` nor `openapi`")
    return document
