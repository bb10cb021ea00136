"""The keys of a pipeline: shown, copied and rotated."""

import streamlit as st

from core.ui.pipelines.chosen import Chosen
from core.ui.shell import actions
from core.ui.shell.abilities import able
from core.ui.shell.drafts import draft


def show(chosen: Chosen) -> None:
    """Both keys, fetched only when asked for, and a way to rotate each."""
    workspace, name = chosen.workspace, chosen.pipeline.name
    st.markdown(
        "Either key starts and watches runs of this pipeline, and nothing else. Send it as `Authorization: Bearer KEY`."
    )
    if not st.toggle("Show the keys", key=f"pipelines.show_keys.{name}"):
        return
    found = actions.run("Fetching the keys", workspace.pipelines.keys, name)
    if found is None:
        return
    both = {"primary": found.primary, "secondary": found.secondary}
    begun = draft(f"pipelines.keys.{name}", {f"{which} key": f"ending in {key[-4:]}" for which, key in both.items()})
    for which, key in both.items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{which.capitalize()}**", width=110)
            st.code(key, language=None, width="stretch")
            with st.popover("Rotate", icon=":material/autorenew:"):
                st.markdown("From then on the old key is rejected with 401, for every client that still sends it.")
                clicked = st.button(
                    f"Rotate the {which} key",
                    key=f"pipelines.rotate.{which}",
                    type="primary",
                    **able("pipelines.rotate_key"),
                )
        if clicked:
            begun.save("Rotating the key", workspace.pipelines.rotate_key, name, which)
