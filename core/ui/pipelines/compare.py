"""Two runs side by side."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.definitions.comparing import Aspect, RunDifference, compare_runs
from core.domain.run import PipelineRun, RunSummary, StepState
from core.ui.kit import words
from core.ui.pipelines import opened, values
from core.ui.shell import choices
from core.workspace import Workspace

LATEST = 30
"""So many runs of the same pipeline are offered."""


def offer(workspace: Workspace, run: PipelineRun) -> None:
    """Choose a run to compare this one with."""
    with st.popover("Compare", icon=":material/compare_arrows:", disabled=not workspace.can("pipelines.list_runs")):
        if not workspace.can("pipelines.list_runs"):
            return
        found = [one for one in workspace.pipelines.list_runs(run.pipeline, LATEST) if one.id != run.id]
        if not found:
            st.markdown("There is no other run of this pipeline yet.")
            return
        by_id = {one.id: _line(one) for one in found}
        picked = st.selectbox(
            "Compare with", list(by_id), key=f"pipelines.compare_with.{run.id}", format_func=by_id.__getitem__
        )
        if st.button("Compare", type="primary", key="pipelines.compare"):
            choices.put("compare", picked or "", scope=run.id)
            st.rerun()


def show(workspace: Workspace, run: PipelineRun) -> None:
    """The comparison that the visitor (or the address) has opened; nothing without one."""
    other = opened.run(workspace, key="compare", scope=run.id)
    if other is None:
        return
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"#### Run {run.number} beside run {other.number}", width="content")
            if st.button("Close", icon=":material/close:", type="tertiary", key="pipelines.close_comparison"):
                choices.put("compare", "", scope=run.id)
                st.rerun()
        found, names = compare_runs(run, other), (f"Run {run.number}", f"Run {other.number}")
        _differences(found, names)
        _results(found, names)
        _steps(found, names)


GIVEN = (Aspect.RUN, Aspect.PARAMETER, Aspect.PART, Aspect.OUTPUT)
DIGEST_CHARS = 12


def _differences(found: Sequence[RunDifference], names: tuple[str, str]) -> None:
    shown = [row for row in found if row.aspect in GIVEN and row.differs and row.name != "number"]
    if not shown:
        st.info("**Same version, parameters, inputs and code.**", icon=":material/drag_handle:")
        return
    st.markdown("**What differs**")
    st.dataframe(
        {
            "Step": [row.step or "Run" for row in shown],
            "What": [words.identifier(row.name) for row in shown],
            names[0]: [_text(row, row.first) for row in shown],
            names[1]: [_text(row, row.second) for row in shown],
        },
        hide_index=True,
        key="pipelines.differences",
    )


def _results(found: Sequence[RunDifference], names: tuple[str, str]) -> None:
    """The numbers that came out, also where they are equal."""
    shown = [row for row in found if row.aspect is Aspect.METRIC]
    if not shown:
        return
    st.markdown("**Results**")
    st.dataframe(
        {
            "Step": [row.step for row in shown],
            "Result": [words.metric(row.name) for row in shown],
            names[0]: [_number(row.first) for row in shown],
            names[1]: [_number(row.second) for row in shown],
            "Difference": [
                words.DASH if row.first is None or row.second is None else _number(row.first - row.second)
                for row in shown
            ],
        },
        hide_index=True,
        key="pipelines.results",
    )


def _steps(found: Sequence[RunDifference], names: tuple[str, str]) -> None:
    by_aspect = {
        aspect: {row.step: row for row in found if row.aspect is aspect and row.step}
        for aspect in (Aspect.STATE, Aspect.DURATION, Aspect.REUSE)
    }
    states, lasted, reused = by_aspect.values()
    st.markdown("**Steps**")
    st.dataframe(
        {
            "Step": list(states),
            names[0]: [_state(row.first, reused[step].first) for step, row in states.items()],
            f"Time in {names[0].lower()}": [words.lasting(lasted[step].first) for step in states],
            names[1]: [_state(row.second, reused[step].second) for step, row in states.items()],
            f"Time in {names[1].lower()}": [words.lasting(lasted[step].second) for step in states],
        },
        hide_index=True,
        key="pipelines.both",
    )


def _state(state: str | None, reused: bool | None) -> str:
    if state is None:
        return words.DASH
    return "Reused" if reused else words.state(StepState(state)).label


def _number(value: float | None) -> str:
    return words.DASH if value is None else words.number(value)


def _text(row: RunDifference, value: Any) -> str:
    if value is None:
        return words.DASH
    return str(value)[:DIGEST_CHARS] if row.aspect is Aspect.PART else values.text(value)


def _line(run: RunSummary) -> str:
    return f"Run {run.number}, {words.state(run.state).label.lower()}, version {run.version}"
