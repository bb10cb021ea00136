"""Act: run one verb of the workspace for the visitor."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import streamlit as st

from core.domain.errors import SlipwayError
from core.ui.shell import failures

P = ParamSpec("P")
T = TypeVar("T")


def run(doing: str, verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """What the verb gives, or None after its error was shown with its hint.

    `doing` stands beside the spinner: "Submitting". Errors outside our family are bugs and stay tracebacks.
    """
    try:
        with st.spinner(f"{doing} …"):
            return verb(*args, **kwargs)
    except SlipwayError as error:
        failures.show(error)
        return None


def apply(doing: str, verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> None:
    """Run a verb and, when it worked, draw the page anew with what it changed."""
    if run(doing, verb, *args, **kwargs) is not None:
        st.rerun()
