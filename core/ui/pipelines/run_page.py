"""A run at its own address: what it is, its steps as a graph, the step that is opened, and what can be done."""

import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.domain.job import JobState
from core.domain.pipeline import PipelineSpec, PipelineStep
from core.domain.run import PipelineRun, RunOrigin
from core.ui.kit import notices, words
from core.ui.pipelines import compare, graph, run_acts, step_detail, values, watching
from core.ui.shell import choices, failures, navigation
from core.ui.shell.markup import literal
from core.workspace import Workspace

WAYS = {
    RunOrigin.APP: "Started in the app",
    RunOrigin.CLI: "Started on the command line",
    RunOrigin.REST: "Started by a REST call",
    RunOrigin.SCHEDULE: "Started by schedule {schedule}",
    RunOrigin.DATA: "Started by schedule {schedule}, by new data",
    RunOrigin.RETRY: "A retry of an earlier run",
    RunOrigin.ALERT: "Started by an alert that fired",
}


def show(workspace: Workspace, run: PipelineRun) -> None:
    """All of it; drawn again when the run changes, until it has ended."""
    since, now = watching.revision(workspace), time.time()
    spec = run.spec or _guessed(run)
    if st.button("All runs", icon=":material/arrow_back:", type="tertiary", key="pipelines.back"):
        choices.put("run", "")
        choices.put("view", "Runs")
        st.rerun()
    _head(run, now)
    run_acts.show(workspace, run)
    names = [step.name for step in run.steps]
    opened = choices.opened("step", names, key="step", scope=run.id)
    graph.of_run(run, spec, now, opened, key=f"pipelines.graph.{run.id}", open_=lambda name: _open(run, opened, name))
    _links(run)
    compare.show(workspace, run)
    if opened:
        step_detail.show(workspace, run, spec, opened, now)
    _as_table(run)
    _parameters(run.parameters, spec)
    if not run.state.final:
        watching.keep_up(workspace, lambda: workspace.pipelines.get_run(run.id), run, since)


def _open(run: PipelineRun, opened: str, clicked: str) -> None:
    """A click on a step opens it, and one on the step that is open closes it."""
    choices.put("step", "" if clicked == opened else clicked, scope=run.id)


def _head(run: PipelineRun, now: float) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(f"{literal(run.pipeline)}, run {run.number}", anchor=False, width="content")
        notices.badge(words.state(run.state), "Stopping" if run.stopping else "")
    facts = [
        WAYS[run.origin].format(schedule=literal(run.schedule)),
        f"experiment {literal(run.experiment_name)}",
        f"version {run.version}",
        f"queued {words.moment(run.created_at, now)}",
    ]
    st.caption(" · ".join(facts))
    if run.state is JobState.QUEUED:
        st.info("**Waiting for a free place.** It begins when another run has ended.", icon=":material/schedule:")
    if run.message:
        if run.state is JobState.FAILED:
            failures.say(run.message, run.hint)
        else:
            st.caption(literal(run.message))


def _links(run: PipelineRun) -> None:
    if run.retry_of:
        navigation.link("Pipelines", "The run that this one retries", run=run.retry_of)


def _as_table(run: PipelineRun) -> None:
    """The same steps in words, for those who cannot or would rather not look at the graph."""
    with st.expander("Steps as a table", icon=":material/table_rows:"):
        key = f"pipelines.steps.{run.id}"

        st.dataframe(
            {
                "Step": [s.name for s in run.steps],
                "What it does": [words.STEPS[s.kind] for s in run.steps],
                "State": [words.state(s.state).label for s in run.steps],
                "Attempts": [s.attempt for s in run.steps],
                "Duration": [step_detail.duration(s) for s in run.steps],
                "Why": [s.why for s in run.steps],
                "Result": [s.message or s.note for s in run.steps],
            },
            hide_index=True,
            key=key,
            height=min(38 + 35 * len(run.steps), 480),
            column_config={
                "Step": st.column_config.TextColumn(width=140),
                "What it does": st.column_config.TextColumn(width=180),
                "State": st.column_config.TextColumn(width=90),
                "Attempts": st.column_config.NumberColumn(width=70),
                "Duration": st.column_config.TextColumn(width=90),
                "Why": st.column_config.TextColumn(width=300),
                "Result": st.column_config.TextColumn(width=400),
            },
        )


def _parameters(given: Mapping[str, Any], spec: PipelineSpec) -> None:
    if not given:
        return
    with st.expander("Parameters", icon=":material/tune:"):
        st.dataframe(
            {
                "Parameter": list(given),
                "Value": [values.text(value) for value in given.values()],
                "Default": [
                    words.DASH if spec.defaults.get(name) is None else values.text(spec.defaults[name])
                    for name in given
                ],
            },
            hide_index=True,
            key="pipelines.parameters",
        )


def _guessed(run: PipelineRun) -> PipelineSpec:
    """A run of a backend that does not keep its definition: its steps, one after the other."""
    steps = [
        PipelineStep(step.name, step.kind, needs=(run.steps[number - 1].name,) if number else ())
        for number, step in enumerate(run.steps)
    ]
    return PipelineSpec(run.pipeline, tuple(steps))
