"""The one place of the app's own CSS."""

from pathlib import Path

import streamlit as st

SHEET = Path(__file__).with_name("style.css")


def apply() -> None:
    """Add the sheet to the page. Streamlit puts a file of CSS where it takes no room."""
    st.html(SHEET)
