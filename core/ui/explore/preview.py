"""The Preview view: the first rows as they are."""

import streamlit as st

from core.ui.explore.table import Explored
from core.ui.kit import words
from core.ui.shell import cached


def show(explored: Explored) -> None:
    """The first rows as they are."""
    sample = cached.sample(explored.asset.ref)
    st.dataframe(
        {name: [row[i] for row in sample.rows] for i, name in enumerate(sample.columns)},
        key="explore.preview",
        hide_index=True,
    )
    rows = explored.asset.rows
    every = len(sample.rows) >= rows
    st.caption(
        f"{'The only row' if rows == 1 else f'All {words.count(rows)} rows'} of the table."
        if every
        else f"The first {words.count(len(sample.rows))} of {words.plural(rows, 'row')}."
    )
