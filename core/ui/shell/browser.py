"""The one place of the app's own script: history and the menu, where Streamlit has no option."""

from pathlib import Path

import streamlit as st

SCRIPT = f"<script>{Path(__file__).with_name('browser.js').read_text('utf-8')}</script>"


def apply() -> None:
    """Add the script to the page; it takes no room."""
    st.html(SCRIPT, unsafe_allow_javascript=True)
