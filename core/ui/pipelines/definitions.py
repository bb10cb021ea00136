"""Pipelines as they are defined: publish one, choose one, see its steps."""

from collections.abc import Sequence

import streamlit as st

from core.definitions import shipped
from core.domain.pipeline import PipelineEndpoint, PipelineSpec
from core.ui.kit import words
from core.ui.shell import actions, choices
from core.ui.shell.abilities import able
from core.workspace import Workspace


def publishable(published: Sequence[PipelineEndpoint]) -> tuple[PipelineSpec, ...]:
    """The shipped definitions that are not published as they stand."""
    known = [p.spec for p in published]
    return tuple(spec for spec in shipped() if spec not in known)


def publish_buttons(workspace: Workspace, specs: Sequence[PipelineSpec]) -> None:
    """One button per definition that can be published."""
    for spec in specs:
        with st.container(border=True, gap="small"):
            st.markdown(f"**{spec.name}** · :gray[{spec.description}]")
            steps_of(spec)
            go = st.button(
                "Publish",
                type="primary",
                icon=":material/publish:",
                key=f"pipelines.publish.{spec.name}",
                **able("pipelines.publish"),
            )
        if go and (made := actions.run("Publishing", workspace.pipelines.publish, spec)):
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
