"""The REST call that starts a run, ready to be copied."""

import streamlit as st

from core.domain.pipeline import PipelineEndpoint
from core.ui.kit import words
from core.ui.pipelines import values
from core.ui.pipelines.chosen import Chosen
from core.ui.shell.markup import literal


def show(chosen: Chosen) -> None:
    """The address, and clients of it."""
    pipeline = chosen.pipeline
    st.markdown("**REST URL**")
    st.code(pipeline.trigger_uri, language=None, wrap_lines=True)
    st.code(curl(pipeline), language="bash", wrap_lines=True)
    if pipeline.spec.parameters:
        given = ", ".join(
            f"`{literal(p.name)}` ({'required' if p.required else values.text(p.default) or 'empty'})"
            for p in pipeline.spec.parameters
        )
        st.caption(
            f"`ParameterAssignments` may hold {words.plural(len(pipeline.spec.parameters), 'parameter')}: {given}."
        )
    st.caption("The call reads one of the pipeline's keys from `SLIPWAY_KEY`: see Keys.")


def curl(pipeline: PipelineEndpoint, experiment: str = "by-rest") -> str:
    """The call that starts a run."""
    return (
        f"curl -X POST {pipeline.trigger_uri} \\\n"
        '  -H "Authorization: Bearer $SLIPWAY_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"""  -d '{{"ExperimentName": "{experiment}"}}'"""
    )
