"""The files that a step gave, to be downloaded; none is read before it is asked for."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.domain.run import PipelineRun, StepRun
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal
from core.workspace import Workspace


def show(workspace: Workspace, run: PipelineRun, step: StepRun, names: Sequence[str]) -> None:
    """A button for each file."""
    with st.container(horizontal=True):
        for name in names:
            st.download_button(
                f"Download {literal(name)}",
                partial(workspace.pipelines.open_output, run.id, step.name, name),
                file_name=_file_name(step, name),
                icon=":material/download:",
                key=f"pipelines.output.{run.id}.{step.name}.{name}",
                on_click="ignore",
                **able("pipelines.open_output"),
            )


def _file_name(step: StepRun, name: str) -> str:
    """The name that the file has in the step, where it says one."""
    path = str(step.outputs.get(name, "")).rstrip("/")
    return path.rpartition("/")[2] or name
