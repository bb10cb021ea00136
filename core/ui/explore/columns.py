"""The Columns view: every column in a row, and one of them in full."""

import streamlit as st

from core.domain.data import ColumnProfile, DataRef, TableProfile
from core.ui.explore.detail import draw_column
from core.ui.explore.table import Explored, first_column
from core.ui.kit import words
from core.ui.shell import choices


def show(explored: Explored) -> None:
    """Every column in a row, and the one that was opened in full."""
    names = {column.name: column.name for column in explored.profile.columns}
    first = first_column(explored.profile)
    scope = str(explored.asset.ref)
    above = st.container()
    opened = choices.choose("Column", names, key="column", first=first, scope=scope)
    with above:
        _table(explored.asset.ref, explored.profile, opened)
    draw_column(explored, explored.profile.column(opened))


def _table(ref: DataRef, profile: TableProfile, opened: str) -> None:
    """Every column in a row; a click opens it below, and the row of the opened one is marked."""
    key = f"explore.columns.{ref}"
    row = next(i for i, column in enumerate(profile.columns) if column.name == opened)
    if _selected(key) != [row]:
        st.session_state[key] = {"selection": {"rows": [row]}}
    st.dataframe(
        rows(profile),
        key=key,
        hide_index=True,
        height=min(38 + 35 * len(profile.columns), 390),
        on_select=lambda: _open(key, ref, profile),
        selection_mode="single-row-required",
        column_config={
            "Kind": st.column_config.TextColumn(width=80),
            # From 0, or the rarest would have no bar at all.
            "Distribution": st.column_config.BarChartColumn(
                y_min=0,
                help="Rows per bar: a histogram of numbers, or the ten most common categories. Bars start at 0.",
            ),
            "Missing": st.column_config.NumberColumn(format="%.1f %%", width=80, help="Of all rows"),
            "Distinct": st.column_config.NumberColumn(format="localized", width=80, help="Values that differ"),
            "Median / most common": st.column_config.TextColumn(
                help="The median of numbers, the most common value of anything else"
            ),
        },
    )


def _selected(key: str) -> list[int]:
    state = st.session_state.get(key)
    return list(state["selection"].get("rows", [])) if state else []


def _open(key: str, ref: DataRef, profile: TableProfile) -> None:
    if chosen := _selected(key):
        choices.put("column", profile.columns[chosen[0]].name, scope=str(ref))


def rows(profile: TableProfile) -> dict[str, list[object]]:
    """The table of columns, as lists by heading; remarks only where there are any."""
    columns = profile.columns
    cells: dict[str, list[object]] = {
        "Column": [c.name for c in columns],
        "Kind": [words.KINDS[c.kind] if not c.dates else "Date" for c in columns],
        "Distribution": [shape(c) for c in columns],
        "Missing": [100 * c.missing / c.rows if c.rows else 0.0 for c in columns],
        "Distinct": [c.distinct for c in columns],
        "Median / most common": [words.value(c.typical) for c in columns],
        "Range": [words.span(c.low, c.high) for c in columns],
    }
    if any(words.ROLES[c.role] for c in columns):
        cells["Remark"] = [words.ROLES[c.role] for c in columns]
    return cells


def shape(column: ColumnProfile) -> list[int]:
    """The counts of a column's histogram, or of its ten most common categories."""
    return [b.count for b in column.histogram] or [level.count for level in column.levels[:10]]
