"""The one place of the app's own script: history, the menu and scrolling, where Streamlit has no option."""

import json
from pathlib import Path

import streamlit as st

SCRIPT = f"<script>{Path(__file__).with_name('browser.js').read_text('utf-8')}</script>"


def bring(what: str, below: str, made: str) -> None:
    """Scroll to the container of the key `what`, if it is out of sight; where both have room, to the one it is `below`.

    `made` tells one time from the next.
    """
    call = f"window.slipwayBring?.({json.dumps(what)}, {json.dumps(below)}, {json.dumps(made)})"
    st.html(f"<script>{call}</script>", unsafe_allow_javascript=True)


def apply() -> None:
    """Add the script to the page; it takes no room."""
    st.html(SCRIPT, unsafe_allow_javascript=True)
