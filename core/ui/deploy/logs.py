"""The Logs tab: the server's newest lines, live, by level, request and text."""

import time

import streamlit as st

from core.domain.endpoint import Endpoint
from core.domain.job import LogLine
from core.ui.kit import words
from core.ui.shell.live import FAST_S, live
from core.workspace import Workspace

LINES = 200
LEVELS = {"": "All", "warning": "Warnings and errors", "error": "Errors"}


def show(workspace: Workspace, endpoint: Endpoint) -> None:
    """What to look for, and the lines that match."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        level = st.selectbox("Level", list(LEVELS), key="logs.level", format_func=LEVELS.__getitem__, width=200)
        request_id = st.text_input("Request ID", key="logs.request", placeholder="x-request-id of the response")
        text = st.text_input("Contains", key="logs.text")
        follow = st.toggle("Live", value=True, key="logs.live")

    def look() -> tuple[LogLine, ...]:
        found = workspace.endpoints.logs(endpoint.name, LINES, level=level, request_id=request_id.strip())
        return tuple(line for line in found if text.lower() in line.text.lower())

    live(look, lambda _: FAST_S if follow else None, draw)
    st.caption(f"`python -m core endpoint logs {endpoint.name} --follow` follows the log in a terminal.")


def draw(lines: tuple[LogLine, ...]) -> None:
    """The newest line first."""
    if not lines:
        st.info("**No matching lines.** The server logs every request.", icon=":material/notes:")
        return
    now = time.time()
    newest = lines[::-1]
    st.dataframe(
        {
            "Time": [words.moment(line.at, now) if line.at else words.DASH for line in newest],
            "Level": [line.level for line in newest],
            "Line": [line.text for line in newest],
        },
        hide_index=True,
        height=420,
        key="logs.lines",
        column_config={
            # In pixels: Streamlit shares what is left among named widths, and the line needs all of it.
            "Time": st.column_config.TextColumn(width=90),
            "Level": st.column_config.TextColumn(width=70),
            "Line": st.column_config.TextColumn(width=900),
        },
    )
