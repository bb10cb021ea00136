"""The address of a page: what it shows stands there by id, so that it can be reloaded, sent, and gone back to.

Streamlit's own binding of widgets writes labels, forgets them when the page is left, and loses what is greyed; so the
shell does it. A run's address is either the one that the session left there (then the widgets count), or one that the
visitor came by: a link, back and forward, a bookmark (then the address counts, once for each of its parameters).
"""

import time
from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.ui.shell.state import Visit, state

LATE_S = 3.0
"""A click sends the address that its tab knew, which may be one that the click before has just replaced."""


def begin(page: str) -> None:
    """A run of `page` begins: find out whether the visitor came by its address."""
    visit, at = state.visit, _query()
    if visit is None or visit.page != page:
        state.visit = Visit(page, at)
    elif at != visit.at and not _late(visit, at):
        visit.at = at
        visit.taken.clear()


def _late(visit: Visit, at: str) -> bool:
    context = get_script_run_ctx()
    if context is not None and context.is_history_navigation:
        return False
    return time.monotonic() - visit.replaced.get(at, -LATE_S) < LATE_S


def current() -> Visit:
    """The stay on the page that is drawn."""
    if state.visit is None:
        state.visit = Visit("", _query())
    return state.visit


def take(key: str, by: str = "") -> str | None:
    """What the address says of `key`, empty for nothing, where the visitor has just come by it; else None.

    Each reader (`by`) is told once.
    """
    taken = current().taken
    if (by, key) in taken:
        return None
    taken.add((by, key))
    return read(key)


def read(key: str) -> str:
    """The parameter as it stands in the address; empty where it does not."""
    return st.query_params.get(key, "")


def write(parameters: Mapping[str, str]) -> None:
    """Say in the address what is shown; an empty value takes the parameter out."""
    visit = current()
    said = {key: value for key, value in parameters.items() if value and read(key) != value}
    gone = [key for key, value in parameters.items() if not value and key in st.query_params]
    if said:
        st.query_params.update(said)
    for key in gone:
        del st.query_params[key]
    if said or gone:
        visit.replaced[visit.at] = time.monotonic()
        visit.at = _query()
    visit.taken.update(("", key) for key in parameters)


def _query() -> str:
    return urlencode(sorted(st.query_params.to_dict().items()))
