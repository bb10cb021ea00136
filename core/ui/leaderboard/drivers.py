"""Which columns a trial goes by, and how its answer changes with one of them."""

import streamlit as st

from core.domain.explanation import Importance
from core.ui.kit import charts, judged_charts, words
from core.ui.leaderboard import cached
from core.ui.leaderboard.opened import Opened
from core.ui.leaderboard.predictions import choose_class
from core.ui.shell import choices

LOSS, SIZE = "loss", "size"


def show(opened: Opened) -> None:
    """Importance of all columns, and the partial dependence of one."""
    found = cached.importance(opened.pick)
    left, right = st.columns(2)
    with left:
        _importance(opened, found)
    with right:
        _dependence(opened, found)


def _importance(opened: Opened, found: Importance) -> None:
    st.markdown("**Which columns matter**")
    ways = {LOSS: "Permutation"}
    if any(c.shap is not None for c in found.columns):
        ways[SIZE] = "SHAP"
    way = choices.choose("Importance", ways, key="importance", draw=choices.tabs) if len(ways) > 1 else LOSS
    charts.show(
        judged_charts.importances(found, by_shap=way == SIZE),
        key=f"trial.importance.{opened.key}",
        alt="; ".join(f"{c.column} {c.permutation:.4g}" for c in found.columns[:5]),
    )
    metric, rows = words.metric(found.metric), words.plural(found.rows, "row")
    if way == SIZE:
        told = "the mean size of what a column adds to a row's score or takes from it (Shapley values)"
    else:
        told = (
            f"how much worse {metric} becomes when a column's values are shuffled; the thin line is the standard "
            "deviation over repeats"
        )
    st.caption(f"On {rows} that the model had not seen: {told}.")


def _dependence(opened: Opened, found: Importance) -> None:
    st.markdown("**How the prediction changes with one column**")
    signature = cached.signature(opened.board.job.id) if opened.board.workspace.can("jobs.signature") else None
    class_name = choose_class(opened, signature.classes) if signature and signature.classes else None
    names = {c.column: c.column for c in found.columns}
    with st.container(width=260):
        column = choices.choose("Column", names, key="column", scope=opened.board.job.id)
    shown = cached.partial_dependence(opened.pick, column, class_name)
    target = opened.spec.target
    y = f"Probability of {shown.class_name}" if shown.class_name is not None else f"Predicted {target}"
    charts.show(
        judged_charts.dependence(shown, y),
        key=f"trial.dependence.{opened.key}",
        alt=f"{y} by {column}: from {min(shown.averages):.3g} to {max(shown.averages):.3g}",
    )
    st.caption(
        f"Partial dependence: the average prediction for {words.plural(shown.rows, 'row')} in which only this column "
        f"is changed. Four fifths of them lie within the {'band' if judged_charts.on_scale(shown) else 'thin line'}."
    )
