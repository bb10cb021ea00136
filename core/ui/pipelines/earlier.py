"""The runs before the latest one."""

from collections.abc import Sequence

import streamlit as st

from core.domain.run import PipelineRun, StepState
from core.ui.kit import words
from core.ui.pipelines.runs import Runs


def show(seen: Runs) -> None:
    """A line each, newest first."""
    if len(seen.runs) > 1:
        st.markdown("**Earlier runs**")
        _table(seen.runs[1:], seen.now)


def _table(runs: Sequence[PipelineRun], now: float) -> None:
    st.dataframe(
        {
            "Experiment": [r.experiment_name for r in runs],
            "State": [words.state(r.state).label for r in runs],
            "Started": [words.moment(r.created_at, now) for r in runs],
            "Duration": [words.lasting((r.ended_at or now) - r.created_at) for r in runs],
            "Steps done": [f"{sum(s.state is StepState.SUCCEEDED for s in r.steps)} of {len(r.steps)}" for r in runs],
        },
        hide_index=True,
        key="pipelines.runs",
    )
