"""How earlier gates went."""

from collections.abc import Sequence

import streamlit as st

from core.domain.proof import GateReport
from core.ui.kit import charts, checks, tables, words
from core.ui.quality import report
from core.ui.quality.gates import Gates
from core.ui.shell import choices

TABLE = "quality.gates"


def show(gates: Gates) -> None:
    """Every gate of an endpoint that is kept, newest first; a click on one opens its report."""
    reports, now = gates.reports, gates.now
    if len(reports) < 2:
        return
    st.subheader("Gate history", anchor=False)
    charts.show(charts.verdicts(reports), key="quality.history", alt="Checks passed and failed in each gate")
    st.caption("Click a row to open its report.")
    st.dataframe(
        {
            "At": [words.moment(r.created_at, now) for r in reports],
            "Deployment": [r.deployment for r in reports],
            "Model": [r.model for r in reports],
            "Verdict": [report.verdict(r)[1] for r in reports],
            "Passed": [sum(c.passed is True for c in r.checks) for r in reports],
            "Depth": [r.depth for r in reports],
            "Took": [words.lasting(r.duration_s) for r in reports],
            "Failed": ["; ".join(checks.plainly(c) for c in r.failed) for r in reports],
        },
        hide_index=True,
        key=TABLE,
        on_select=lambda: _open(reports),
        selection_mode=tables.BY_ROW,
    )


def _open(reports: Sequence[GateReport]) -> None:
    """Show the report whose row was clicked."""
    row = tables.clicked(st.session_state[TABLE].selection)
    if row is not None and row < len(reports):
        choices.put("report", reports[row].id)
