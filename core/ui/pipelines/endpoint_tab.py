"""The published pipelines: a list of them, and the one that is chosen with everything to run it."""

import time
from collections.abc import Sequence

import streamlit as st

from core.domain.pipeline import PipelineEndpoint
from core.domain.run import RunSummary
from core.ui.kit import notices, tables, words
from core.ui.kit.parts import Part
from core.ui.pipelines import endpoint_keys, graph, publishing, rest_call, run_tab, trigger, versions, watching
from core.ui.pipelines.chosen import Chosen
from core.ui.shell import abilities, choices
from core.ui.shell.markup import literal
from core.workspace import Workspace

LATEST = 5
"""So many runs stand below a pipeline; all of them on the tab beside."""


def _run(chosen: Chosen) -> None:
    trigger.form(chosen.workspace, chosen.pipeline, key="trigger")


USES: tuple[Part[Chosen], ...] = (
    Part("Run", _run),
    Part("REST call", rest_call.show),
    Part("Keys", endpoint_keys.show, needs=("pipelines.keys",)),
    Part("Versions", versions.show, needs=("pipelines.versions",)),
)


def show(workspace: Workspace) -> None:
    """The list, what can be published, and the pipeline that is chosen."""
    since = watching.revision(workspace)
    published = workspace.pipelines.list()
    new = publishing.publishable(published)
    if not published:
        notices.empty(
            "No pipeline is published yet",
            "Publish one of those below, then run it, call it by REST, or put it on a schedule.",
            icon="account_tree",
        )
        publishing.buttons(workspace, new)
        return
    latest = _latest(workspace, published)
    if len(published) > 1:
        _table(published, latest)
    if new:
        with st.expander("Publish a definition", icon=":material/add_circle:"):
            publishing.buttons(workspace, new)
    pipeline = choose(published)
    _pipeline(workspace, pipeline)
    _runs(workspace, pipeline)
    watching.keep_up(
        workspace,
        lambda: (now := workspace.pipelines.list(), _latest(workspace, now), _newest(workspace, pipeline)),
        (published, latest, _newest(workspace, pipeline)),
        since,
    )


def choose(published: Sequence[PipelineEndpoint]) -> PipelineEndpoint:
    """The pipeline that the visitor (or the address) chooses, by its name."""
    by_name = {p.name: p for p in published}
    return by_name[choices.choose("Pipeline", {name: name for name in by_name}, key="pipeline")]


def _latest(workspace: Workspace, published: Sequence[PipelineEndpoint]) -> dict[str, RunSummary]:
    """Each pipeline's newest run."""
    if abilities.lacking("pipelines.list_runs"):
        return {}
    newest = {p.name: workspace.pipelines.list_runs(p.name, 1) for p in published}
    return {name: runs[0] for name, runs in newest.items() if runs}


def _table(published: Sequence[PipelineEndpoint], latest: dict[str, RunSummary]) -> None:
    now, key = time.time(), "pipelines.published"

    def choose_row() -> None:
        row = tables.clicked(st.session_state[key].selection)
        if row is not None and row < len(published):
            choices.put("pipeline", published[row].name)

    runs = [latest.get(p.name) for p in published]
    st.dataframe(
        {
            "Pipeline": [p.name for p in published],
            "State": ["Active" if p.enabled else "Disabled" for p in published],
            "Version": [p.label or str(p.version) for p in published],
            "Last run": [words.state(r.state).label if r else words.DASH for r in runs],
            "When": [words.moment(r.created_at, now) if r else words.DASH for r in runs],
            "Description": [p.description for p in published],
        },
        hide_index=True,
        key=key,
        on_select=choose_row,
        selection_mode=tables.BY_ROW,
        height=min(38 + 35 * len(published), 320),
        column_config={
            "Pipeline": st.column_config.TextColumn(width=200),
            "State": st.column_config.TextColumn(width=80),
            "Version": st.column_config.TextColumn(width=70),
            "Last run": st.column_config.TextColumn(width=90),
            "When": st.column_config.TextColumn(width=110),
            "Description": st.column_config.TextColumn(width=500),
        },
    )


def _pipeline(workspace: Workspace, pipeline: PipelineEndpoint) -> None:
    chosen = Chosen(workspace, pipeline)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.subheader(literal(pipeline.name), anchor=False, width="content")
            active = words.Word("Active", "green", "check_circle") if pipeline.enabled else _DISABLED
            notices.badge(active)
            st.markdown(f":gray[Version {literal(pipeline.label or str(pipeline.version))}]", width="content")
        if pipeline.description:
            st.markdown(literal(pipeline.description))
        graph.of_definition(pipeline.spec, key=f"pipelines.steps_of.{pipeline.name}.{pipeline.version}")
        titles = {use.title: use.title for use in USES}
        picked = choices.choose("Use", titles, key="use", first="Run", scope="pipelines", noun="tab", draw=choices.tabs)
        use = next(use for use in USES if use.title == picked)
        if reason := abilities.lacking(*use.needs):
            abilities.say(use.title, reason)
        else:
            use.draw(chosen)


_DISABLED = words.Word("Disabled", "gray", "pause_circle")


def _newest(workspace: Workspace, pipeline: PipelineEndpoint) -> tuple[RunSummary, ...]:
    if abilities.lacking("pipelines.list_runs"):
        return ()
    return workspace.pipelines.list_runs(pipeline.name, LATEST)


def _runs(workspace: Workspace, pipeline: PipelineEndpoint) -> None:
    if reason := abilities.lacking("pipelines.list_runs"):
        abilities.say("Runs", reason)
        return
    runs = _newest(workspace, pipeline)
    if not runs:
        st.info("**No runs yet.** Start one above; it opens with its steps.", icon=":material/hourglass_empty:")
        return
    st.markdown("**Latest runs**")
    run_tab.table(runs, key=f"pipelines.latest.{pipeline.name}")
