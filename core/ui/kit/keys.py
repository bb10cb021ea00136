"""Two keys: shown on request, copied and rotated."""

from collections.abc import Callable

import streamlit as st

from core.domain.endpoint import EndpointKeys
from core.ui.shell import actions
from core.ui.shell.abilities import able
from core.ui.shell.drafts import draft

Fetch = Callable[[str], EndpointKeys]
Rotate = Callable[[str, str], EndpointKeys]


def show(noun: str, name: str, fetch: Fetch, rotate: Rotate, *, rotated: str) -> None:
    """Both keys of `name`, fetched only when asked for, and a way to rotate each.

    `noun` is that of the verbs, such as `endpoints`; `rotated` says what happens to the old key.
    """
    if not st.toggle("Show the keys", key=f"{noun}.show_keys.{name}"):
        return
    found = actions.run("Fetching the keys", fetch, name)
    if found is None:
        return
    both = {"primary": found.primary, "secondary": found.secondary}
    begun = draft(f"{noun}.keys.{name}", {f"{which} key": f"ending in {key[-4:]}" for which, key in both.items()})
    for which, key in both.items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{which.capitalize()}**", width=110)
            st.code(key, language=None, width="stretch")
            with st.popover("Rotate", icon=":material/autorenew:"):
                st.markdown(rotated)
                clicked = st.button(
                    f"Rotate the {which} key",
                    key=f"{noun}.rotate.{which}",
                    type="primary",
                    **able(f"{noun}.rotate_key"),
                )
        if clicked:
            begun.save("Rotating the key", rotate, name, which)
