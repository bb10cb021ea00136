"""Two runs side by side."""

import streamlit as st

from core.domain.run import PipelineRun, RunSummary, StepRun
from core.ui.kit import words
from core.ui.pipelines import comparison, opened, step_detail, values
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
        _differences(run, other)
        _results(run, other)
        _steps(run, other)


def _differences(run: PipelineRun, other: PipelineRun) -> None:
    found = comparison.differences(run, other)
    if not found:
        st.info("**Same version, parameters, inputs and code.**", icon=":material/drag_handle:")
        return
    st.markdown("**What differs**")
    st.dataframe(
        {
            "Step": [each.step or "Run" for each in found],
            "What": [words.identifier(each.what) for each in found],
            f"Run {run.number}": [_text(each.one) for each in found],
            f"Run {other.number}": [_text(each.other) for each in found],
        },
        hide_index=True,
        key="pipelines.differences",
    )


def _results(run: PipelineRun, other: PipelineRun) -> None:
    found = comparison.results(run, other)
    if not found:
        return
    st.markdown("**Results**")
    st.dataframe(
        {
            "Step": [each.step for each in found],
            "Result": [words.metric(each.what) for each in found],
            f"Run {run.number}": [_number(each.one) for each in found],
            f"Run {other.number}": [_number(each.other) for each in found],
            "Difference": [
                words.DASH if each.one is None or each.other is None else _number(each.one - each.other)
                for each in found
            ],
        },
        hide_index=True,
        key="pipelines.results",
    )


def _steps(run: PipelineRun, other: PipelineRun) -> None:
    found = comparison.steps(run, other)
    st.markdown("**Steps**")
    st.dataframe(
        {
            "Step": [name for name, _, _ in found],
            f"Run {run.number}": [_state(one) for _, one, _ in found],
            f"Time in run {run.number}": [step_detail.duration(one) if one else words.DASH for _, one, _ in found],
            f"Run {other.number}": [_state(theirs) for _, _, theirs in found],
            f"Time in run {other.number}": [
                step_detail.duration(theirs) if theirs else words.DASH for _, _, theirs in found
            ],
        },
        hide_index=True,
        key="pipelines.both",
    )


def _state(step: StepRun | None) -> str:
    if step is None:
        return words.DASH
    return "Reused" if step.reused_from else words.state(step.state).label


def _number(value: float | None) -> str:
    return words.DASH if value is None else words.number(value)


def _text(value: object) -> str:
    return words.DASH if value is None else values.text(value)


def _line(run: RunSummary) -> str:
    return f"Run {run.number}, {words.state(run.state).label.lower()}, version {run.version}"
