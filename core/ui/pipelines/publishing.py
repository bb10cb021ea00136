"""The definitions that come with the product, to be published by a button."""

from collections.abc import Sequence

import streamlit as st

from core.definitions import shipped
from core.domain.pipeline import PipelineEndpoint, PipelineSpec
from core.ui.kit import words
from core.ui.shell import actions, choices
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal
from core.workspace import Workspace


def publishable(published: Sequence[PipelineEndpoint]) -> tuple[PipelineSpec, ...]:
    """The shipped definitions that are not published as they stand."""
    known = [p.spec for p in published]
    return tuple(spec for spec in shipped() if spec not in known)


def buttons(workspace: Workspace, specs: Sequence[PipelineSpec]) -> None:
    """One button per definition that can be published."""
    for spec in specs:
        with st.container(border=True, gap="small"):
            st.markdown(f"**{literal(spec.name)}** · :gray[{literal(spec.description)}]")
            st.caption("  →  ".join(words.STEPS[step.kind] for step in spec.steps))
            go = st.button(
                "Publish",
                type="primary",
                icon=":material/publish:",
                key=f"pipelines.publish.{spec.name}",
                **able("pipelines.publish"),
            )
        if go and (made := actions.run("Publishing", workspace.pipelines.publish, spec)):
            choices.put("pipeline", made.name)
            st.rerun()
