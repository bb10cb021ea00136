"""The data in use."""

import streamlit as st

from core.domain.data import DataSource
from core.ui.home.overview import Overview
from core.ui.kit import words


def show(seen: Overview) -> None:
    """The newest tables, and where each came from."""
    st.subheader("Data in use", anchor=False)
    if not seen.assets:
        st.caption("No table is registered.")
    for asset in seen.assets[:4]:
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                st.markdown(f"**{words.asset(asset.ref)}**", width="content")
                twin = asset.source is DataSource.TWIN
                st.badge(words.SOURCES[asset.source], color="orange" if twin else "gray")
            st.caption(
                f"{words.count(asset.rows)} rows, {len(asset.columns)} columns · registered "
                f"{words.ago(asset.created_at, seen.now)}"
            )
