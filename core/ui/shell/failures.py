"""What did not work: the cause, and what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.domain.errors import SlipwayError
from core.ui.shell.markup import literal


def show(error: SlipwayError) -> None:
    """An error of ours: the cause, and the hint where there is one."""
    say(error.message, error.hint)


def say(message: str, hint: str = "") -> None:
    """A cause and what to do about it, as they were written."""
    then = f"\n\n:material/lightbulb: {literal(hint)}" if hint else ""
    st.error(f"**{literal(message)}**{then}", icon=":material/error:")


@contextmanager
def explained() -> Iterator[None]:
    """Show our own errors as cause and hint; anything else is a bug and stays a traceback."""
    try:
        yield
    except SlipwayError as error:
        show(error)
