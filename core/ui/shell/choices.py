"""What the visitor looks at: chosen from a list, kept in the address, and carried from page to page."""

from collections.abc import Mapping

import streamlit as st


def choose(label: str, options: Mapping[str, str], *, key: str, first: str = "") -> str:
    """One of `options` (id -> what people read), the address's `?key=id` first, then the last choice, then `first`.

    Streamlit's own binding would write the label into the address; an id stays valid when labels change. Labels that
    two options share are told apart by a number.
    """
    ids = list(options)
    default = first if first in options else ids[0]
    known: list[str | None] = [st.query_params.get(key), st.session_state.get(_kept(key))]
    wanted = next((w for w in known if w is not None and w in options), default)
    if st.session_state.get(_widget(key)) not in options:
        st.session_state[_widget(key)] = wanted
    labels = _told_apart(options)
    picked = st.selectbox(label, ids, key=_widget(key), format_func=labels.__getitem__)
    _keep(key, picked, default)
    return picked


def put(key: str, picked: str) -> None:
    """Choose for the visitor, before the list is drawn: what was just made."""
    st.session_state[_widget(key)] = picked


def _keep(key: str, picked: str, default: str) -> None:
    st.session_state[_kept(key)] = picked
    if picked != default and st.query_params.get(key) != picked:
        st.query_params[key] = picked
    elif picked == default and key in st.query_params:
        del st.query_params[key]


def _widget(key: str) -> str:
    return f"choice.{key}"


def _kept(key: str) -> str:
    return f"slipway.chosen.{key}"


def _told_apart(options: Mapping[str, str]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for option, label in options.items():
        same = sum(other == label or other.startswith(f"{label} (") for other in labels.values())
        labels[option] = f"{label} ({same + 1})" if same else label
    return labels
