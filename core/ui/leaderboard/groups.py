"""How a trial does on the groups of one column: whether it is as good, and as generous, to all of them."""

import streamlit as st

from core.domain.explanation import Fairness
from core.ui.kit import words
from core.ui.leaderboard import cached
from core.ui.leaderboard.opened import Opened
from core.ui.leaderboard.predictions import choose_class
from core.ui.shell import choices
from core.ui.shell.markup import literal

FEW_ROWS = 30
"""Of fewer rows no rate can be told."""


def show(opened: Opened) -> None:
    """Choose a column, excluded ones included; its groups side by side."""
    if opened.spec.regression:
        st.info("Groups are compared by the predicted class; a regression predicts a number.")
        return
    data = opened.board.data
    columns = [name for name in data.columns if name != opened.spec.target] if data else []
    if not columns:
        st.info("The table that this trial was trained on is no longer here.")
        return
    classes = cached.curves(opened.pick).classes
    with st.container(horizontal=True):
        with st.container(width=260):
            column = choices.choose(
                "Compare by", {name: name for name in columns}, key="group", scope=opened.board.job.id
            )
        class_name = choose_class(opened, classes)
    table = cached.thresholds(opened.pick, class_name)
    key = f"trial.threshold.{opened.key}.{table.class_name}"
    threshold = float(st.session_state.get(key, table.threshold))
    _table(opened, cached.fairness(opened.pick, column, threshold, class_name))


def _table(opened: Opened, found: Fairness) -> None:
    said = literal(str(found.class_name))
    groups = found.groups
    rates: dict[str, list[float | None]] = {
        f"Actual {found.class_name}": [group.positive_rate for group in groups],
        f"Predicted {found.class_name}": [group.predicted_rate for group in groups],
        "Recall": [group.true_positive_rate for group in groups],
        "False positive rate": [group.false_positive_rate for group in groups],
        "Precision": [group.precision for group in groups],
    }
    st.dataframe(
        {
            "Group": [group.name for group in groups],
            "Rows": [group.rows for group in groups],
            **{name: [None if rate is None else 100 * rate for rate in column] for name, column in rates.items()},
            "AUC": [group.auc for group in groups],
        },
        hide_index=True,
        key=f"trial.groups.{opened.key}",
        placeholder=words.DASH,
        column_config={
            "Rows": st.column_config.NumberColumn(format="localized"),
            "AUC": st.column_config.NumberColumn(format="%.4f"),
            **dict.fromkeys(rates, st.column_config.NumberColumn(format="%.1f %%")),
        },
    )
    st.caption(f"{said} is predicted from a probability of {found.threshold:.3f} up, as on the Predictions tab.")
    if sentence := _gap(found):
        st.markdown(sentence)


def _gap(found: Fairness) -> str:
    """The largest gap between two groups of enough rows, in words."""
    rates = [(g.predicted_rate, g.name) for g in found.groups if g.rows >= FEW_ROWS]
    if len(rates) < 2:
        return ""
    (low, least), (high, most) = min(rates), max(rates)
    said = literal(str(found.class_name))
    ratio = f", {low / high:.2f} times as often" if high > 0 else ""
    return (
        f"**{said}** is predicted most often for **{literal(most)}** ({words.percent(high)} of the rows) and least "
        f"often for **{literal(least)}** ({words.percent(low)}{ratio}), among groups of at least {FEW_ROWS} rows."
    )
