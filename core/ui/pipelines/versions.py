"""The versions of a pipeline: which one runs where none is named, and whether any may run."""

import time

import streamlit as st

from core.ui.kit import words
from core.ui.pipelines.chosen import Chosen
from core.ui.shell import actions
from core.ui.shell.abilities import able
from core.workspace import Workspace


def show(chosen: Chosen) -> None:
    """All versions, the choice of the default, and the switch of the pipeline."""
    workspace, pipeline, now = chosen.workspace, chosen.pipeline, time.time()
    found = workspace.pipelines.versions(pipeline.name)
    st.dataframe(
        {
            "Version": [str(v.version) for v in found],
            "Name": [v.label for v in found],
            "Default": ["Yes" if v.default else "" for v in found],
            "Published": [words.moment(v.created_at, now) for v in found],
            "Steps": [len(v.spec.steps) for v in found],
        },
        hide_index=True,
        key=f"pipelines.versions.{pipeline.name}",
    )
    if len(found) > 1:
        _default(workspace, pipeline.name, {v.version: v.label for v in found}, pipeline.version)
    _switch(workspace, pipeline.name, enabled=pipeline.enabled)


def _default(workspace: Workspace, name: str, labels: dict[int, str], current: int) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.selectbox(
            "Default version",
            list(labels),
            index=list(labels).index(current) if current in labels else 0,
            format_func=lambda v: f"{v} ({labels[v]})" if labels[v] not in ("", str(v)) else str(v),
            key=f"pipelines.default.{name}.{current}",
            width=220,
        )
        set_ = st.button(
            "Make it the default",
            key="pipelines.set_default",
            **able("pipelines.set_default", unless=picked == current, help="It runs where no version is named."),
        )
    if set_ and picked is not None:
        actions.apply("Changing the default", workspace.pipelines.set_default, name, picked)


def _switch(workspace: Workspace, name: str, *, enabled: bool) -> None:
    label, icon = ("Disable", "pause_circle") if enabled else ("Activate", "play_circle")
    about = "A disabled pipeline starts no run, by whatever way. Runs that go on are left alone."
    pressed = st.button(
        label, icon=f":material/{icon}:", key="pipelines.enable", **able("pipelines.enable", help=about)
    )
    if pressed:
        actions.apply(f"{label[:-1]}ing", workspace.pipelines.enable, name, not enabled)
