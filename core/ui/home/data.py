"""The data in use."""

import streamlit as st

from core.domain.data import DataSource
from core.ui.home.overview import Overview
from core.ui.kit import tables, words
from core.ui.shell import navigation

SHOWN = 4


def show(seen: Overview) -> None:
    """The newest tables, and where each came from."""
    st.subheader("Data in use", anchor=False)
    if not seen.assets:
        st.caption("No table is registered yet.")
    for asset in seen.assets[:SHOWN]:
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                navigation.link("Explore", words.asset(asset.ref), data=tables.key_of(asset))
                twin = asset.source is DataSource.TWIN
                st.badge(words.SOURCES[asset.source], color="orange" if twin else "gray")
            st.caption(
                f"{words.plural(asset.rows, 'row')}, {words.plural(len(asset.columns), 'column')} · registered "
                f"{words.ago(asset.created_at, seen.now)}"
            )
    if len(seen.assets) > SHOWN:
        navigation.link("Explore", f"All {len(seen.assets)} tables")
