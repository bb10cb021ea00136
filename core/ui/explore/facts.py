"""A table in four figures, and where it came from."""

import streamlit as st

from core.domain.data import DataAsset, TableProfile
from core.domain.pipeline import ValueType
from core.ui.kit import lineage, tables, words
from core.ui.shell.markup import code
from core.workspace import Workspace


def draw_facts(asset: DataAsset, profile: TableProfile) -> None:
    """The table in four figures: as many as stand in one row of a narrow window."""
    cells = profile.rows * len(profile.columns)
    missing = sum(c.missing for c in profile.columns)
    figures = (
        ("Rows", words.count(asset.rows)),
        ("Columns", words.count(len(asset.columns))),
        ("Missing cells", words.percent(missing / cells if cells else 0.0)),
        ("Stored", words.size(asset.size_bytes)),
    )
    for column, (label, value) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(label, value)


def draw_runs(workspace: Workspace, asset: DataAsset) -> None:
    """The runs of pipelines that made the table, or used it."""
    lineage.show(workspace, ValueType.DATA, tables.key_of(asset))


def draw_origin(asset: DataAsset, now: float) -> None:
    """Where the table came from, and when."""
    came = f"{words.SOURCES[asset.source]}: {code(asset.origin)}"
    st.caption(f"{came}, registered {words.ago(asset.created_at, now)} · SHA-256 `{asset.sha256[:12]}…`")
