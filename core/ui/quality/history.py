"""How earlier gates went."""

import streamlit as st

from core.ui.kit import charts, checks, words
from core.ui.quality import report
from core.ui.quality.gates import Gates


def show(gates: Gates) -> None:
    """Every gate of an endpoint that is kept, newest first, and how they went."""
    reports, now = gates.reports, gates.now
    if len(reports) < 2:
        return
    st.subheader("How earlier gates went", anchor=False)
    charts.show(charts.verdicts(reports), key="quality.history", alt="Checks passed and failed in each gate")
    st.dataframe(
        {
            "At": [words.moment(r.created_at, now) for r in reports],
            "Deployment": [r.deployment for r in reports],
            "Model": [r.model for r in reports],
            "Verdict": [report.verdict(r)[1] for r in reports],
            "Hold": [sum(c.passed is True for c in r.checks) for r in reports],
            "Depth": ["thorough" if r.depth == "full" else "usual" for r in reports],
            "Took": [words.lasting(r.duration_s) for r in reports],
            "Violated": ["; ".join(checks.plainly(c) for c in r.failed) for r in reports],
        },
        hide_index=True,
        key="quality.gates",
    )
