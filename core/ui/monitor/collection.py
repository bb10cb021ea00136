"""The Collection tab: what is recorded of an endpoint's requests, turned on and off while it runs."""

from typing import Any

import streamlit as st

from core.domain.endpoint import EndpointLimits
from core.ui.kit import endpoints
from core.ui.monitor.opened import Opened
from core.ui.shell.abilities import able
from core.ui.shell.drafts import draft

LABELS = {
    "app_insights": "Application Insights",
    "collect_model_data": "Inputs and predictions",
    "collect_sample_pct": "share of requests, %",
    "masked_columns": "masked columns",
}


def show(opened: Opened) -> None:
    """The switches. No request is dropped when one is turned."""
    limits = opened.endpoint.limits
    begun = draft(f"monitor.collection.{opened.name}", {LABELS[name]: getattr(limits, name) for name in LABELS})
    with st.form(f"monitor.collection.{opened.name}"):
        given = _fields(opened, limits, begun.key)
        saved = st.form_submit_button("Save", type="primary", **able("endpoints.update"))
    if saved:
        changes = {name: value for name, value in given.items() if value != getattr(limits, name)}
        seen = {name: getattr(limits, name) for name in changes}
        begun.save("Saving", opened.workspace.endpoints.update, opened.name, changes, expected=seen)
    begun.follow()
    st.caption(
        "In force within a second, without a restart and without a dropped request. What is kept stays in this "
        "workspace until it is too old or too large (settings `records_max_days` and `records_max_mb`)."
    )


def _fields(opened: Opened, limits: EndpointLimits, key: Any) -> dict[str, Any]:
    model = endpoints.answering_model(opened.endpoint)
    known = [column.name for column in model.signature.columns] if model else []
    given: dict[str, Any] = {}
    given["app_insights"] = st.toggle(
        "Application Insights: record every request",
        value=limits.app_insights,
        key=key(LABELS["app_insights"]),
        help="When it came, how long it took, how it ended, how many rows and bytes. No values.",
    )
    given["collect_model_data"] = st.toggle(
        "Collect inputs and predictions",
        value=limits.collect_model_data,
        key=key(LABELS["collect_model_data"]),
        help="What drift, predictions and outcomes are made of. Rows may hold personal data: mask what must not be "
        "kept.",
    )
    left, right = st.columns([1, 2])
    with left:
        given["collect_sample_pct"] = st.number_input(
            "Of so many requests, %",
            min_value=0.1,
            max_value=100.0,
            value=float(limits.collect_sample_pct),
            step=10.0,
            key=key(LABELS["collect_sample_pct"]),
        )
    with right:
        masked = [*limits.masked_columns]
        given["masked_columns"] = tuple(
            st.multiselect(
                "Masked columns",
                [*known, *(name for name in masked if name not in known)],
                default=masked,
                key=key(LABELS["masked_columns"]),
                help="No value of these is kept, so nothing is said of their drift.",
            )
        )
    return given
