"""Start a run, by hand or by REST."""

import streamlit as st

from core.domain.pipeline import PipelineEndpoint
from core.ui.shell import actions
from core.ui.shell.abilities import able
from core.workspace import Workspace


def draw_trigger(workspace: Workspace, pipeline: PipelineEndpoint) -> None:
    """Start a run from here, or see the REST call that does the same."""
    with st.form("pipelines.trigger"):
        experiment = st.text_input("Experiment", value="by-hand", key="pipelines.experiment")
        if st.form_submit_button("Run now", type="primary", icon=":material/play_arrow:", **able("pipelines.trigger")):
            run = actions.run(
                "Starting the run", workspace.pipelines.trigger, pipeline.id, experiment.strip() or "by-hand"
            )
            if run is not None:
                st.rerun()
    with st.expander("Start it by a REST call", icon=":material/api:"):
        st.code(curl(pipeline), language="bash", wrap_lines=True)
        if pipeline.spec.parameters:
            given = pipeline.spec.defaults.items()
            names = ", ".join(
                f"`{name}` ({default if default not in ('', [], None) else 'none'})" for name, default in given
            )
            st.caption(f"Optional `ParameterAssignments`, with their defaults: {names}.")


def curl(pipeline: PipelineEndpoint, experiment: str = "by-rest") -> str:
    """The call that starts a run; it reads the service's key by the command line."""
    return (
        "export SLIPWAY_KEY=$(python -m core service key)\n"
        f"curl -X POST {pipeline.trigger_uri} \\\n"
        '  -H "Authorization: Bearer $SLIPWAY_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"""  -d '{{"ExperimentName": "{experiment}"}}'"""
    )
