"""A table in five figures, and where it came from."""

import streamlit as st

from core.domain.data import DataAsset, DataSource, TableProfile
from core.ui.kit import words


def draw_facts(asset: DataAsset, profile: TableProfile) -> None:
    """The table in five figures."""
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


def draw_origin(asset: DataAsset, now: float) -> None:
    """Where the table came from, and when."""
    st.caption(f"{_came(asset)}, registered {words.ago(asset.created_at, now)} · SHA-256 `{asset.sha256[:12]}…`")


def _came(asset: DataAsset) -> str:
    """Where the table came from."""
    return f"Uploaded as `{asset.origin}`" if asset.source is DataSource.UPLOAD else f"Read from `{asset.origin}`"
