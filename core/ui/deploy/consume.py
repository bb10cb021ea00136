"""The Consume tab: clients in eight languages, ready to be copied."""

import streamlit as st

from core.contract.samples import body, typical_row
from core.contract.snippets import snippets
from core.domain.endpoint import Endpoint
from core.domain.model import Model
from core.ui.deploy.tryit import FORMS
from core.workspace import Workspace

METHODS = {"predict": "Labels", "predict_proba": "Probabilities"}


def show(_: Workspace, endpoint: Endpoint, model: Model) -> None:
    """Choose a request format, what is returned, and a language; the key is read from SLIPWAY_KEY."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        form = st.selectbox(
            "Request format",
            list(FORMS),
            key="consume.form",
            format_func=FORMS.__getitem__,
            width=240,
            persist_state="page",
        )
        method = st.selectbox(
            "Returns",
            [name for name in METHODS if name in model.signature.methods],
            key="consume.method",
            format_func=(METHODS | ({"predict": "Numbers"} if model.signature.regression else {})).__getitem__,
            width=180,
        )
        request = body([typical_row(model.signature)], form, method)
        st.download_button("Download the request", request, "data.json", "application/json", icon=":material/download:")
    made = snippets(endpoint.scoring_uri, model.signature, form=form, method=method)
    for tab, snippet in zip(st.tabs([snippet.title for snippet in made.values()]), made.values(), strict=True):
        with tab:
            st.code(snippet.text, language=snippet.language, wrap_lines=True)
    st.caption("Clients read one of the endpoint's keys from the environment variable `SLIPWAY_KEY`: see Keys.")
