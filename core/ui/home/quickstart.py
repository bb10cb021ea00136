"""The quickstart by one click: the shipped pipeline that takes a sample table to a proven endpoint."""

import streamlit as st

from core.definitions import shipped
from core.domain.errors import PipelineNotFound
from core.domain.names import endpoint_name
from core.domain.pipeline import PipelineSpec
from core.domain.run import PipelineRun
from core.ui.home import samples
from core.ui.shell import actions, cached, navigation
from core.ui.shell.abilities import able
from core.workspace import Workspace

NAME = "Quickstart"
EXPERIMENT = "quickstart"


def button() -> None:
    """Choose a sample table and start; the visitor then watches the run."""
    workspace = cached.workspace()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sample = st.selectbox(
            "Sample table",
            samples.known(workspace),
            format_func=samples.TITLES.__getitem__,
            key="home.quickstart.table",
            width=240,
        )
        go = st.button(
            "Run the quickstart",
            type="primary",
            icon=":material/rocket_launch:",
            key="home.quickstart",
            **able("pipelines.list", "pipelines.publish", "pipelines.trigger"),
        )
    if go and sample and (run := actions.run("Starting the quickstart", _start, workspace, sample)):
        navigation.go("Pipelines", run=run.id)


def _start(workspace: Workspace, sample: str) -> PipelineRun:
    """A run on the sample; one that somebody has published under that name already is used as it is."""
    known = next((p for p in workspace.pipelines.list() if p.name == NAME), None)
    pipeline = known or workspace.pipelines.publish(_shipped())
    name = endpoint_name(samples.TITLES[sample])
    told = {"data": sample, "target": samples.TARGETS[sample], "model": name, "endpoint": name}
    takes = {parameter.name for parameter in pipeline.spec.parameters}
    given = {key: value for key, value in told.items() if key in takes}
    return workspace.pipelines.trigger(pipeline.name, EXPERIMENT, given)


def _shipped() -> PipelineSpec:
    for spec in shipped():
        if spec.name == NAME:
            return spec
    raise PipelineNotFound(f"No pipeline '{NAME}' comes with this version")
