"""The table that is explored, and the column whose rate is shown."""

from dataclasses import dataclass

import streamlit as st

from core.domain.data import DataAsset, TableProfile

NO_TARGET = "none"


@dataclass(frozen=True, slots=True)
class Explored:
    """What the views show: a data version, and the target, empty for none."""

    asset: DataAsset
    target: str


def choose_target(profile: TableProfile) -> str:
    """The column whose rate is shown per level, or nothing: only columns with two values have a rate."""
    binary = [c.name for c in profile.columns if c.distinct == 2]
    picked = st.selectbox(
        "Target",
        [NO_TARGET, *binary],
        key="target",
        bind="query-params",
        format_func=lambda name: "No target" if name == NO_TARGET else name,
        help="Columns with two values. Each category then shows how often the target is positive in it.",
    )
    return "" if picked == NO_TARGET else picked
