"""A table in five figures, and where it came from."""

import streamlit as st

from core.domain.data import DataAsset, TableProfile
from core.ui.kit import words


def draw_facts(asset: DataAsset, profile: TableProfile, now: float) -> None:
    """The table in five figures, and where it came from."""
    cells = profile.rows * len(profile.columns)
    missing = sum(c.missing for c in profile.columns)
    figures = (
        ("Rows", words.count(asset.rows)),
        ("Columns", words.count(len(asset.columns))),
        ("Missing cells", words.percent(missing / cells if cells else 0.0)),
        ("Source", words.SOURCES[asset.source]),
        ("Stored", words.size(asset.size_bytes)),
    )
    for column, (label, value) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(label, value)
    st.caption(
        f"Read from `{asset.origin}`, registered {words.ago(asset.created_at, now)} · SHA-256 `{asset.sha256[:12]}…`"
    )
