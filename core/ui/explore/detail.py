"""One column in full: its facts, its distribution, and the target's rate among its values."""

import streamlit as st

from core.domain.data import NUMERIC, ColumnProfile, ColumnRole
from core.ui.explore.table import Explored
from core.ui.kit import charts, distributions, notices, words
from core.ui.shell.markup import literal

SILENT = {
    ColumnRole.ID: (
        "An identifier",
        "Nearly every row has a value of its own, so there is no distribution to show. Training leaves the column out.",
        "fingerprint",
    ),
    ColumnRole.CONSTANT: (
        "Always the same value",
        "Every row holds the same value, so it cannot tell rows apart. Training leaves the column out.",
        "horizontal_rule",
    ),
    ColumnRole.EMPTY: (
        "An empty column",
        "No row has a value here. Training leaves the column out.",
        "do_not_disturb_on",
    ),
}
"""What stands in place of a chart that would show nothing: title, sentence, icon."""


def draw_column(explored: Explored, column: ColumnProfile) -> None:
    """Its facts, then its distribution beside the target's rate, or why there is neither."""
    st.markdown(described(column))
    if column.role in SILENT:
        title, sentence, icon = SILENT[column.role]
        notices.empty(title, sentence, icon=icon)
        return
    target, ref = explored.target, explored.asset.ref
    rated = target not in ("", column.name) and any(level.target_rate is not None for level in column.levels)
    left, right = st.columns(2, gap="medium") if rated else (st.container(), st.container())
    with left:
        st.markdown("**Distribution**")
        spread = distributions.distribution(column)
        charts.show(spread, key=f"explore.{ref}.{column.name}", alt=f"Distribution of {column.name}")
        _say_rest(column)
    if rated:
        with right:
            _rates(explored, column)
    elif target and target != column.name:
        st.caption(f"Rates of {literal(target)} are shown for columns with at most 100 different values.")


def _rates(explored: Explored, column: ColumnProfile) -> None:
    target = explored.target
    positive, overall = positive_of(explored.profile.column(target))
    st.markdown(f"**How often {literal(target)} is {literal(positive)}**")
    charts.show(
        distributions.target_rates(column, target, positive, overall),
        key=f"explore.{explored.asset.ref}.{column.name}.{target}",
        alt=f"Rate of {target} by {column.name}",
    )
    if distributions.few_rows(column):
        st.caption(f"Pale bars: fewer than {distributions.RATE_ROWS_MIN} rows.")


def _say_rest(column: ColumnProfile) -> None:
    """What the chart leaves out: categories beyond those shown, and bars too low to be seen."""
    if column.histogram:
        highest = max(column.histogram, key=lambda b: b.count)
        present = column.rows - column.missing
        if present and 0.95 < highest.count / present < 1:
            share = words.percent(highest.count / present)
            st.caption(f"One bar holds {share} of the values; the others are too low to be seen.")
        return
    shown = distributions.shown_levels(column)
    if column.distinct > len(shown):
        rows = sum(level.count for level in shown)
        st.caption(
            f"The {len(shown)} most common of {words.plural(column.distinct, 'value')}: "
            f"{words.count(rows)} of {words.plural(column.rows, 'row')} "
            f"({words.percent(rows / column.rows if column.rows else 0.0)})."
        )


def described(column: ColumnProfile) -> str:
    """A column in one line of facts (Markdown)."""
    kind = "Date" if column.dates else words.KINDS[column.kind]
    facts = [kind, words.plural(column.distinct, "distinct value")]
    if column.missing:
        facts.append(
            f"{words.count(column.missing)} of {words.plural(column.rows, 'row')} missing ({_missing(column)})"
        )
    else:
        facts.append("no missing values")
    if column.kind in NUMERIC and column.mean is not None:
        facts += [words.span(column.low, column.high), f"mean {words.number(column.mean)}"]
        if len(column.quantiles) == 5:
            facts.append(f"middle half {words.span(column.quantiles[1], column.quantiles[3])}")
        facts.append(f"median {words.value(column.typical)}")
    elif column.typical is not None:
        facts.append(f"most common: {literal(words.value(column.typical))}")
    if words.ROLES[column.role]:
        facts.append(f":orange[{words.ROLES[column.role].lower()}]")
    return " · ".join(facts)


def _missing(column: ColumnProfile) -> str:
    return words.percent(column.missing / column.rows if column.rows else 0.0)


def positive_of(target: ColumnProfile) -> tuple[str, float]:
    """The value whose rate is shown (the profile rates it with 1), and its share of the rows that have a target."""
    total = sum(level.count for level in target.levels)
    for level in target.levels:
        if level.target_rate == 1.0:
            return level.value, level.count / total if total else 0.0
    return "positive", 0.0
