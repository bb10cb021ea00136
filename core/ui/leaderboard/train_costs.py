"""What decisions of the model cost, class by class."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.domain.signature import Scalar
from core.domain.training import Cost
from core.ui.leaderboard.train_asked import More
from core.ui.shell.markup import literal

ACTUAL = "actual"


def ask(more: More, classes: Sequence[Scalar]) -> None:
    """Of two classes two numbers, of several a table with a row for each true class."""
    if not st.checkbox(
        "Use a cost matrix",
        key="leaderboard.costly",
        help="The model then predicts the class with the lowest expected cost instead of the most probable one.",
    ):
        return
    made = _of_two(classes) if len(classes) == 2 else _of_several(more, classes)
    more.built["cost_matrix"] = lambda: matrix(classes, made)


def matrix(classes: Sequence[Scalar], rows: Sequence[Sequence[float | None]]) -> tuple[Cost, ...]:
    """Costs by true class, then by predicted class. An empty cell, and a right answer that costs 0, is as usual."""
    return tuple(
        Cost(actual, predicted, float(cost))
        for actual, row in zip(classes, rows, strict=True)
        for predicted, cost in zip(classes, row, strict=True)
        if cost is not None and (actual != predicted or cost)
    )


def _of_two(classes: Sequence[Scalar]) -> list[list[float | None]]:
    first, second = classes
    left, right = st.columns(2)
    missed = left.number_input(
        literal(f"Cost of predicting {first} when it is {second}"),
        value=1.0,
        format="%g",
        key=f"leaderboard.cost.{first}",
    )
    alarm = right.number_input(
        literal(f"Cost of predicting {second} when it is {first}"),
        value=1.0,
        format="%g",
        key=f"leaderboard.cost.{second}",
    )
    return [[None, alarm or 0.0], [missed or 0.0, None]]


def _of_several(more: More, classes: Sequence[Scalar]) -> list[list[float | None]]:
    """Columns are known by their place: two classes may read alike."""
    usual: list[dict[str, Any]] = [
        {ACTUAL: str(actual), **{str(at): float(actual != predicted) for at, predicted in enumerate(classes)}}
        for actual in classes
    ]
    config: Mapping[str, Any] = {
        ACTUAL: st.column_config.TextColumn("True class", pinned=True),
        **{
            str(at): st.column_config.NumberColumn(f"Predicted {name}", format="%g", default=1.0)
            for at, name in enumerate(classes)
        },
    }
    rows = st.data_editor(
        usual,
        column_config=config,
        disabled=[ACTUAL],
        hide_index=True,
        key=f"leaderboard.costs.{more.table}.{more.target.name}",
    )
    st.caption("What one row costs, by its true and its predicted class. Negative: what it earns.")
    return [[row[str(at)] for at in range(len(classes))] for row in rows]
