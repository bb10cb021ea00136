"""Why a model answers one row as it does: a bar for each column, and in words what they add up to."""

import streamlit as st

from core.domain.explanation import Explanation, Method, Scale
from core.ui.kit import charts, judged_charts, words
from core.ui.shell.markup import literal

METHODS = {
    Method.TREE_SHAP: "Shapley values of the trees",
    Method.LINEAR_SHAP: "Shapley values of the linear model",
    Method.COMBINED_SHAP: "Shapley values of the parts, carried through to the answer",
    Method.PERMUTATION: "Estimates by permutation, which vary a little from one time to the next",
}


def show(found: Explanation, *, key: str) -> None:
    """The chart of the contributions."""
    charts.show(
        judged_charts.contributions(found),
        key=key,
        alt="; ".join(f"{name} {words.brief(value, sign='+')}" for name, value in found.ranked[:5]),
    )


def caption(found: Explanation) -> None:
    """What they add up to, on which scale, and how they were found."""
    of = "" if found.class_name is None else f" of {literal(str(found.class_name))}"
    whole = f"The average is {words.brief(found.base, 4)}; with all contributions it is {words.brief(found.score, 4)}"
    unit = "" if found.scale is Scale.VALUE else f" ({judged_charts.SCALES[found.scale]}{of})"
    st.caption(f"{METHODS[found.method]}. {whole}{unit}.")
