"""The three states of every page besides a full one: empty with what to do next, working, and failed with its cause."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.domain.data import DataAsset, DataSource
from core.domain.errors import SlipwayError
from core.ui.kit import words
from core.ui.kit.words import Word
from core.ui.shell import navigation

TWIN_SENTENCE = (
    "**Synthetic twin.** These figures come from a table that Slipway generated, because the real one could not be "
    "reached. They show how everything works; they say nothing about real customers."
)


def empty(title: str, next_step: str, *, icon: str = "inbox", then: tuple[str, str] | None = None) -> None:
    """There is nothing here yet: say so, say what to do next (Markdown), and link to `then`: a page and a label."""
    with st.container(border=True, horizontal_alignment="center", gap="xsmall"):
        st.space("small")
        st.markdown(f"# :primary[:material/{icon}:]", width="content")
        st.markdown(f"#### {title}", width="content", text_alignment="center")
        st.markdown(f":gray[{next_step}]", width="content", text_alignment="center")
        if then is not None:
            navigation.link(*then)
        st.space("small")


def failed(error: SlipwayError) -> None:
    """Something did not work: the cause, and the hint where there is one."""
    problem(error.message, error.hint)


def problem(message: str, hint: str = "") -> None:
    """A cause and what to do about it, as they were written."""
    then = f"\n\n:material/lightbulb: {words.literal(hint)}" if hint else ""
    st.error(f"**{words.literal(message)}**{then}", icon=":material/error:")


def warn(message: str) -> None:
    """What the visitor should know before believing what is shown."""
    st.warning(message, icon=":material/warning:")


@contextmanager
def explained() -> Iterator[None]:
    """Show our own errors as cause and hint; anything else is a bug and stays a traceback."""
    try:
        yield
    except SlipwayError as error:
        failed(error)


def badge(word: Word, label: str = "") -> None:
    """A state as a badge, under its own label unless told."""
    st.badge(label or word.label, icon=word.icon_code, color=word.color)


def twin(asset: DataAsset | None) -> None:
    """Say plainly that figures are a synthetic twin's, wherever they are shown; nothing for a real table."""
    if asset is not None and asset.source is DataSource.TWIN:
        st.warning(TWIN_SENTENCE, icon=":material/science:")
