"""A search space of the visitor's own, in the words of Azure ML's sweeps."""

import streamlit as st

from core.domain.search_space import EXAMPLE, space_from_json
from core.ui.leaderboard.train_asked import More


def ask(more: More) -> None:
    """JSON, as the command line takes it from a file: a form would need a field for each of hundreds."""
    text = st.text_area(
        "Search space (JSON)",
        key="leaderboard.space",
        height=120,
        placeholder=EXAMPLE,
        help="By algorithm and hyperparameter, what values may be tried: choice, uniform, loguniform, normal, randint, "
        "quniform, qloguniform, qnormal. Empty: the engine's own. Only the algorithms that are named are tried.",
    )
    more.built["search_space"] = lambda: space_from_json(text)
