"""Pipelines for people: publish one, trigger it here or by REST, watch its steps."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.definitions import shipped
from core.domain.job import JobState
from core.domain.pipeline import PipelineEndpoint, PipelineRun, PipelineSpec, StepRun
from core.ui.kit import notices, words
from core.ui.shell import actions, choices, failures
from core.ui.shell.live import FAST_S
from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one pipeline, newest first, at one moment."""

    runs: tuple[PipelineRun, ...]
    now: float


def publishable(published: Sequence[PipelineEndpoint]) -> tuple[PipelineSpec, ...]:
    """The shipped definitions that are not published as they stand."""
    known = [p.spec for p in published]
    return tuple(spec for spec in shipped() if spec not in known)


def publish_buttons(workspace: Workspace, specs: Sequence[PipelineSpec]) -> None:
    """One button per definition that can be published."""
    for spec in specs:
        with st.container(border=True):
            left, right = st.columns([5, 1], vertical_alignment="center")
            with left:
                st.markdown(f"**{spec.name}** :gray[{spec.description}]")
                steps_of(spec)
            key = f"pipelines.publish.{spec.name}"
            go = right.button("Publish", type="primary", icon=":material/publish:", key=key, width="stretch")
        if go and (made := actions.run("Publishing", workspace.publish_pipeline, spec)):
            choices.put("pipeline", made.id)
            st.rerun()


def steps_of(spec: PipelineSpec) -> None:
    """What a definition does, in a line."""
    st.caption("  →  ".join(words.STEPS[step.kind] for step in spec.steps))


def choose(published: Sequence[PipelineEndpoint]) -> PipelineEndpoint:
    """The pipeline that the visitor (or the address) chooses."""
    labels = {p.id: f"{p.name}, version {p.version}" for p in published}
    picked = choices.choose("Pipeline", labels, key="pipeline")
    return next(p for p in published if p.id == picked)


def trigger(workspace: Workspace, pipeline: PipelineEndpoint) -> None:
    """Start a run from here, or see the REST call that does the same."""
    left, right = st.columns([2, 3], gap="medium")
    with left, st.form("pipelines.trigger"):
        st.markdown("**Run it now**")
        experiment = st.text_input("Experiment", value="by-hand", key="pipelines.experiment")
        if st.form_submit_button("Run", type="primary", icon=":material/play_arrow:"):
            run = actions.run(
                "Starting the run", workspace.trigger_pipeline, pipeline.id, experiment.strip() or "by-hand"
            )
            if run is not None:
                st.rerun()
    with right:
        st.markdown("**or by a REST call, from anywhere on this machine**")
        st.code(curl(pipeline), language="bash", wrap_lines=True)
        if pipeline.spec.parameters:
            given = pipeline.spec.parameters.items()
            names = ", ".join(
                f"`{name}` ({default if default not in ('', [], None) else 'none'})" for name, default in given
            )
            st.caption(f"`ParameterAssignments` may also be given: {names}.")


def curl(pipeline: PipelineEndpoint, experiment: str = "by-rest") -> str:
    """The call that starts a run; it reads the service's key by the command line."""
    return (
        "export SLIPWAY_KEY=$(python -m core service key)\n"
        f"curl -X POST {pipeline.trigger_uri} \\\n"
        '  -H "Authorization: Bearer $SLIPWAY_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"""  -d '{{"ExperimentName": "{experiment}"}}'"""
    )


def look(workspace: Workspace, pipeline: str) -> Runs:
    """The runs as they are now."""
    return Runs(workspace.pipeline_runs(pipeline), time.time())


def pace(seen: Runs) -> float | None:
    """Often while a run goes on, then never."""
    return FAST_S if any(not run.state.final for run in seen.runs) else None


def draw(seen: Runs) -> None:
    """The newest run step by step, then all of them."""
    if not seen.runs:
        st.info("**It has not run yet.** Start it above; its steps appear here.", icon=":material/hourglass_empty:")
        return
    newest = seen.runs[0]
    word = words.state(newest.state)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader(f"Newest run: experiment {newest.experiment_name}", anchor=False, width="content")
        notices.badge(word)
    if newest.message:
        failures.say(newest.message)
    for column, step in zip(st.columns(len(newest.steps)), newest.steps, strict=True):
        with column:
            _step(step, seen.now)
    if len(seen.runs) > 1:
        st.markdown("**Earlier runs**")
        _table(seen.runs[1:], seen.now)


def _step(step: StepRun, now: float) -> None:
    word = words.state(step.state)
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.markdown(f":{word.color}[{word.icon_code}] **{words.STEPS[step.kind]}**")
        lasted = None if step.started_at is None else (step.ended_at or now) - step.started_at
        st.caption(f"{word.label}" + (f", {words.lasting(lasted)}" if lasted is not None else ""))
        if step.message:
            (failures.say if step.state is JobState.FAILED else st.caption)(step.message)


def _table(runs: Sequence[PipelineRun], now: float) -> None:
    st.dataframe(
        {
            "Experiment": [r.experiment_name for r in runs],
            "State": [words.state(r.state).label for r in runs],
            "Started": [words.moment(r.created_at, now) for r in runs],
            "Lasted": [words.lasting((r.ended_at or now) - r.created_at) for r in runs],
            "Steps done": [f"{sum(s.state is JobState.SUCCEEDED for s in r.steps)} of {len(r.steps)}" for r in runs],
        },
        hide_index=True,
        key="pipelines.runs",
    )
