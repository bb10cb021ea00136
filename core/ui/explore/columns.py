"""The Columns view: every column in a row, and one of them in full."""

import streamlit as st

from core.domain.data import (
    NUMERIC,
    ColumnProfile,
    DataRef,
    TableProfile,
)
from core.ui.explore.table import Explored
from core.ui.kit import charts, words
from core.ui.shell import cached


def show(explored: Explored) -> None:
    """Every column in a row, and the one that was opened in full."""
    profile = cached.profile(explored.asset.ref, explored.target)
    _table(profile)
    _detail(explored.asset.ref, profile, explored.target)


def _table(profile: TableProfile) -> None:
    """Every column in a row; a click opens it below."""
    rows = {
        "Column": [c.name for c in profile.columns],
        "Kind": ["Date" if c.dates else words.KINDS[c.kind] for c in profile.columns],
        "Shape": [shape(c) for c in profile.columns],
        "Missing": [100 * c.missing / c.rows if c.rows else 0.0 for c in profile.columns],
        "Distinct": [c.distinct for c in profile.columns],
        "Typical": [str(c.typical) if c.typical is not None else words.DASH for c in profile.columns],
        "Range": [_range(c) for c in profile.columns],
    }
    if any(words.ROLES[c.role] for c in profile.columns):
        rows["Remark"] = [words.ROLES[c.role] for c in profile.columns]
    st.dataframe(
        rows,
        key="explore.columns",
        hide_index=True,
        height=min(38 + 35 * len(profile.columns), 390),
        on_select=lambda: _open_column(profile),
        selection_mode="single-row",
        column_config={
            "Kind": st.column_config.TextColumn(width=80),
            "Shape": st.column_config.BarChartColumn(help="Rows per bar: a histogram, or the commonest categories"),
            "Missing": st.column_config.NumberColumn(format="%.1f %%", width=80),
            "Distinct": st.column_config.NumberColumn(format="localized", width=80),
            "Typical": st.column_config.TextColumn(help="The median, or the commonest value"),
        },
    )


def _open_column(profile: TableProfile) -> None:
    rows = st.session_state["explore.columns"].selection.rows
    if rows:
        st.session_state["column"] = profile.columns[rows[0]].name


def shape(column: ColumnProfile) -> list[int]:
    """The counts of a column's histogram, or of its ten commonest categories."""
    return [b.count for b in column.histogram] or [level.count for level in column.levels[:10]]


def _range(column: ColumnProfile) -> str:
    if column.low is None or column.high is None:
        return words.DASH
    return f"{_number(column.low)} to {_number(column.high)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.6g}"


def _detail(ref: DataRef, profile: TableProfile, target: str) -> None:
    """One column in full: its facts, its distribution, and the target's rate in each of its categories."""
    name = st.selectbox("Column", [c.name for c in profile.columns], key="column", bind="query-params")
    column = profile.column(name)
    st.markdown(_described(column))
    rated = target != "" and target != name and any(level.target_rate is not None for level in column.levels)
    left, right = st.columns(2, gap="medium") if rated else (st.container(), st.container())
    with left:
        st.markdown("**How its values are spread**")
        alt = f"Distribution of {name}"
        charts.show(charts.distribution(column), key=f"explore.{ref}.{name}", alt=alt)
    if rated:
        positive = _positive(profile.column(target))
        with right:
            st.markdown(f"**How often {target} is {positive} in each category**")
            rates = charts.target_rates(column, target, positive)
            charts.show(rates, key=f"explore.{ref}.{name}.{target}", alt=f"Rate of {target} by {name}")
    elif target and target != name:
        st.caption(f"Rates of {target} are shown for columns with categories.")


def _described(column: ColumnProfile) -> str:
    facts = [words.KINDS[column.kind], f"{words.plural(column.distinct, 'distinct value')}"]
    facts.append(f"{words.count(column.missing)} missing" if column.missing else "nothing missing")
    if column.kind in NUMERIC and column.mean is not None:
        facts.append(f"{_range(column)}, mean {_number(round(column.mean, 4))}")
        if len(column.quantiles) == 5:
            facts.append(f"half of it between {_number(column.quantiles[1])} and {_number(column.quantiles[3])}")
    elif column.typical is not None:
        facts.append(f"most often {column.typical}")
    if words.ROLES[column.role]:
        facts.append(f":orange[{words.ROLES[column.role].lower()}]")
    return " · ".join(facts)


def _positive(target: ColumnProfile) -> str:
    """The value whose rate is shown: the one that the profile rates with 1 in the target's own levels."""
    rated = {level.value: level.target_rate for level in target.levels}
    return next((value for value, rate in rated.items() if rate == 1.0), min(rated, default="positive"))
