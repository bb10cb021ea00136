"""What can be done with a run: end it, go on from where it failed, run it again, compare it."""

import streamlit as st

from core.domain.errors import SlipwayError
from core.domain.job import JobState
from core.domain.run import PipelineRun
from core.ui.pipelines import compare, trigger
from core.ui.shell import actions, choices
from core.ui.shell.abilities import able
from core.workspace import Workspace


def show(workspace: Workspace, run: PipelineRun) -> None:
    """A row of buttons, and the form that starts the run again."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if not run.state.final:
            _cancel(workspace, run)
        elif run.state is not JobState.SUCCEEDED:
            _retry(workspace, run)
        compare.offer(workspace, run)
    _again(workspace, run)


def _cancel(workspace: Workspace, run: PipelineRun) -> None:
    with st.popover("Cancel", icon=":material/stop_circle:", disabled=run.stopping):
        st.markdown("Every step that is running is ended, and no further step begins. What has ended is kept.")
        pressed = st.button("Cancel the run", type="primary", key="pipelines.cancel", **able("pipelines.cancel"))
    if pressed:
        actions.apply("Canceling", workspace.pipelines.cancel, run.id)


def _retry(workspace: Workspace, run: PipelineRun) -> None:
    pressed = st.button(
        "Retry from the failed step" if run.state is JobState.FAILED else "Go on from where it stopped",
        icon=":material/replay:",
        type="primary",
        key="pipelines.retry",
        **able("pipelines.retry", help="A new run takes over every step that succeeded, and does the rest."),
    )
    if pressed and (made := actions.run("Starting the run", workspace.pipelines.retry, run.id)):
        choices.put("run", made.id)
        st.rerun()


def _again(workspace: Workspace, run: PipelineRun) -> None:
    if not workspace.can("pipelines.get"):
        return
    with st.expander("Run again with other parameters", icon=":material/play_circle:"):
        try:
            pipeline = workspace.pipelines.get(run.pipeline, run.version)
        except SlipwayError:
            st.markdown("This pipeline is not published any more.")
            return
        trigger.form(workspace, pipeline, given=run.parameters, experiment=run.experiment_name, key=f"again.{run.id}")
