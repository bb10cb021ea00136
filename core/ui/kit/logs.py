"""A log as people read it."""

from collections.abc import Sequence

import streamlit as st

from core.domain.job import LogLine
from core.ui.kit import words


def show(lines: Sequence[LogLine], now: float, *, height: int = 260) -> None:
    """A log, oldest line first, scrolled within its own height."""
    text = "\n".join(f"{words.moment(line.at, now):>8}  {line.level:<7}  {line.text}" for line in lines)
    st.code(
        text or "Nothing was logged yet", language=None, height=height if len(lines) > 8 else "content", wrap_lines=True
    )
