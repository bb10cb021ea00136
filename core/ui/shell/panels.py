"""Forms that can be folded: open while nothing was done, closed when they are done, opened by an address."""

import streamlit as st
from streamlit.elements.lib.mutable_expander_container import ExpanderContainer

from core.ui.shell import address


def panel(
    label: str, *, key: str, opened_by: str = "", first: bool = False, icon: str = "add_circle"
) -> ExpanderContainer:
    """A folded form; draw into it only where its `.open` is true, so that a closed one costs nothing.

    `first` says that nothing was done here yet, so that it begins open. An address with the parameter `opened_by`
    opens it.
    """
    if st.session_state.pop(_close(key), False):
        st.session_state[_widget(key)] = False
    elif opened_by and address.take(opened_by, by=key):
        st.session_state[_widget(key)] = True
    return st.expander(label, expanded=first, key=_widget(key), icon=f":material/{icon}:", on_change="rerun")


def close(key: str, *, opened_by: str = "") -> None:
    """The form has done its work: it is closed in the next run, which the caller begins, and so is its address."""
    st.session_state[_close(key)] = True
    if opened_by:
        address.write({opened_by: ""})


def _widget(key: str) -> str:
    return f"panel.{key}"


def _close(key: str) -> str:
    return f"slipway.close.{key}"
