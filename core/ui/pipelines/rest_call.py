"""The REST call that starts a run, ready to be copied."""

from typing import Any

import streamlit as st

from core.contract.pipeline_snippets import pipeline_snippets
from core.domain.pipeline import Parameter, ParameterType, PipelineEndpoint
from core.ui.kit import words
from core.ui.pipelines import parameters, values
from core.ui.pipelines.chosen import Chosen

_EXAMPLES = {
    ParameterType.INTEGER: 1,
    ParameterType.NUMBER: 1.0,
    ParameterType.BOOLEAN: True,
    ParameterType.LIST: ["..."],
}


def show(chosen: Chosen) -> None:
    """The address, clients of it, and what may be sent."""
    pipeline = chosen.pipeline
    st.markdown("**REST URL**")
    st.code(pipeline.trigger_uri, language=None, wrap_lines=True)
    made = pipeline_snippets(pipeline.trigger_uri, example(pipeline))
    for tab, snippet in zip(st.tabs([snippet.title for snippet in made.values()]), made.values(), strict=True):
        with tab:
            st.code(snippet.text, language=snippet.language, wrap_lines=True)
    st.caption(
        "It runs the default version. The client reads one of the pipeline's keys from `SLIPWAY_KEY`: see Keys. "
        "With the same `Idempotency-Key` header, a call that is repeated within a day starts one run only."
    )
    if pipeline.spec.parameters:
        _parameters(pipeline.spec.parameters)


def example(pipeline: PipelineEndpoint) -> dict[str, Any]:
    """A value for every parameter: its default, else one of its type."""
    return {
        p.name: p.default if not p.required else p.choices[0] if p.choices else _EXAMPLES.get(p.type, "...")
        for p in pipeline.spec.parameters
    }


def _parameters(known: tuple[Parameter, ...]) -> None:
    """What `ParameterAssignments` may hold."""
    st.markdown("**Parameters**")
    st.dataframe(
        {
            "Parameter": [p.name for p in known],
            "Type": [words.identifier(p.type) for p in known],
            "Default": ["Required" if p.required else values.text(p.default) for p in known],
            "Limits": [parameters.limits(p) or ", ".join(map(str, p.choices)) for p in known],
            "Description": [p.description for p in known],
        },
        hide_index=True,
        key="pipelines.rest_parameters",
    )
