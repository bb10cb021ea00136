"""Which runs of pipelines made something, and which have used it."""

import streamlit as st

from core.domain.pipeline import ValueType
from core.domain.run import Artifact, RunSummary
from core.ui.shell import navigation
from core.ui.shell.markup import literal
from core.workspace import Workspace

LOOKED_AT = 20
SHOWN_MAX = 3


def show(workspace: Workspace, kind: ValueType, reference: str, *, made: str = "Made by") -> None:
    """Links to the run that made it and to the last ones that used it; nothing where no run has to do with it."""
    if not workspace.can("pipelines.list_runs"):
        return
    runs = workspace.pipelines.list_runs(of=Artifact(kind, reference), limit=LOOKED_AT)
    if not runs:
        return
    makers, users = [run for run in runs if run.made], [run for run in runs if not run.made]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _links(made, makers)
        _links("Used by", users)


def _links(told: str, runs: list[RunSummary]) -> None:
    if not runs:
        return
    st.markdown(f":small[:gray[{literal(told)}]]", width="content")
    for run in runs[:SHOWN_MAX]:
        navigation.link("Pipelines", f"Run {run.number} of {run.pipeline}", run=run.id)
    if len(runs) > SHOWN_MAX:
        least = "" if len(runs) < LOOKED_AT else "at least "
        st.markdown(f":small[:gray[and {least}{len(runs) - SHOWN_MAX} more]]", width="content")
