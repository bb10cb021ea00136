"""What stands beside what is shown: nothing yet and what to do next, warnings, states as badges, a synthetic twin."""

import streamlit as st

from core.domain.data import DataAsset, DataSource
from core.ui.kit.words import Word
from core.ui.shell import navigation

TWIN_SENTENCE = (
    "**Synthetic twin.** These figures come from a table that Slipway generated, because the real one could not be "
    "reached. They show how everything works, and say nothing about real customers."
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


def warn(message: str) -> None:
    """What the visitor should know before believing what is shown."""
    st.warning(message, icon=":material/warning:")


def badge(word: Word, label: str = "") -> None:
    """A state as a badge, under its own label unless told."""
    st.badge(label or word.label, icon=word.icon_code, color=word.color)


def twin(asset: DataAsset | None) -> None:
    """Say plainly that figures are a synthetic twin's, wherever they are shown; nothing for a real table."""
    if asset is not None and asset.source is DataSource.TWIN:
        st.warning(TWIN_SENTENCE, icon=":material/science:")
