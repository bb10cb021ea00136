"""Start a run: a field for each parameter, and the experiment that it belongs to."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.domain.pipeline import PipelineEndpoint
from core.ui.pipelines import parameters
from core.ui.shell import actions, choices
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal
from core.workspace import Workspace

EXPERIMENT = "by-hand"


def form(
    workspace: Workspace,
    pipeline: PipelineEndpoint,
    *,
    given: Mapping[str, Any] | None = None,
    experiment: str = "",
    key: str,
) -> None:
    """Ask for the parameters of a version and start a run of it, which is then opened."""
    key = f"pipelines.{key}.{pipeline.name}.{pipeline.version}"
    button = f"{key}.run"
    told = bool(st.session_state.get(button))
    with st.form(key, border=False):
        named = st.text_input("Experiment", value=experiment or EXPERIMENT, key=f"{key}.experiment")
        values = parameters.fields(pipeline.spec, given or {}, key=key, told=told)
        if any(parameter.required for parameter in pipeline.spec.parameters):
            st.caption(":red[\\*] needs a value.")
        pressed = st.form_submit_button(
            "Run now",
            type="primary",
            icon=":material/play_arrow:",
            key=button,
            **able("pipelines.trigger", unless=not pipeline.enabled, help=_off(pipeline)),
        )
    if not pressed or parameters.problems(pipeline.spec, values):
        return
    run = actions.run(
        "Starting the run",
        workspace.pipelines.trigger,
        pipeline.name,
        named.strip() or EXPERIMENT,
        values,
        version=pipeline.version,
    )
    if run is not None:
        choices.put("run", run.id)
        st.rerun()


def _off(pipeline: PipelineEndpoint) -> str:
    return "" if pipeline.enabled else f"{literal(pipeline.name)} is disabled: it starts no run."
