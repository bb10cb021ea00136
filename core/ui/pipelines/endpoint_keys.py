"""The keys of a pipeline."""

import streamlit as st

from core.ui.kit import keys
from core.ui.pipelines.chosen import Chosen

ROTATED = "From then on the old key is rejected with 401, for every client that still sends it."


def show(chosen: Chosen) -> None:
    """What they open, and both of them on request."""
    verbs = chosen.workspace.pipelines
    st.markdown(
        "Either key starts and watches runs of this pipeline, and nothing else. Send it as `Authorization: Bearer KEY`."
    )
    keys.show("pipelines", chosen.pipeline.name, verbs.keys, verbs.rotate_key, rotated=ROTATED)
