"""The list of runs, with filters and pages; a click on a row opens the run."""

import time
from collections.abc import Sequence

import streamlit as st

from core.domain.job import JobState
from core.domain.run import RunOrigin, RunSummary
from core.ui.kit import notices, tables, words
from core.ui.pipelines import watching
from core.ui.shell import address, choices
from core.workspace import Workspace

KEYS = ("of", "state", "scheduled", "experiment", "before")
"""Of the address: the filters, and the page."""
PAGE = 50
ANY = "any"
ORIGINS = {
    RunOrigin.APP: "App",
    RunOrigin.CLI: "Command line",
    RunOrigin.REST: "REST call",
    RunOrigin.SCHEDULE: "Schedule",
    RunOrigin.DATA: "New data",
    RunOrigin.RETRY: "Retry",
    RunOrigin.ALERT: "Alert",
}


def show(workspace: Workspace) -> None:
    """The filters, a page of runs, and the way to older ones."""
    since = watching.revision(workspace)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pipeline = _choice("Pipeline", {p.name: p.name for p in workspace.pipelines.list()}, "of", "All pipelines")
        state = _choice("State", {s.value: words.state(s).label for s in JobState}, "state", "All states")
        schedule = _choice("Schedule", _schedules(workspace), "scheduled", "With and without")
        experiment = _experiment()
    scope = "|".join((pipeline, state, schedule, experiment))
    before = choices.opened("page", choices.sought("before", scope=scope), key="before", scope=scope)

    def look() -> tuple[RunSummary, ...]:
        return workspace.pipelines.list_runs(
            pipeline,
            PAGE + 1,
            state=JobState(state) if state else None,
            schedule=schedule,
            experiment_name=experiment,
            before=before,
        )

    found = look()
    if found:
        table(found[:PAGE], key="pipelines.runs")
        _pages(found, before, scope)
    else:
        _nothing(filtered=bool(scope.strip("|") or before))
    watching.keep_up(workspace, look, found, since)


def table(runs: Sequence[RunSummary], *, key: str) -> None:
    """A line for each run, newest first; a click on one opens it."""
    now = time.time()

    def open_run() -> None:
        row = tables.clicked(st.session_state[key].selection)
        if row is not None and row < len(runs):
            choices.put("run", runs[row].id)

    st.dataframe(
        {
            "Run": [str(r.number or words.DASH) for r in runs],
            "Pipeline": [f"{r.pipeline}, version {r.version}" for r in runs],
            "State": [words.state(r.state).label for r in runs],
            "Steps": [f"{r.steps_done} of {r.steps_total}" for r in runs],
            "Queued": [words.moment(r.created_at, now) for r in runs],
            "Duration": [_duration(r) for r in runs],
            "Experiment": [r.experiment_name for r in runs],
            "Started by": [_by(r) for r in runs],
            "Message": [r.message for r in runs],
        },
        hide_index=True,
        key=key,
        on_select=open_run,
        selection_mode=tables.BY_ROW,
        height=min(38 + 35 * len(runs), 640),
        column_config={
            "Run": st.column_config.TextColumn(width=50),
            "Pipeline": st.column_config.TextColumn(width=220),
            "State": st.column_config.TextColumn(width=90),
            "Steps": st.column_config.TextColumn(width=70),
            "Queued": st.column_config.TextColumn(width=110),
            "Duration": st.column_config.TextColumn(width=90),
            "Experiment": st.column_config.TextColumn(width=130),
            "Started by": st.column_config.TextColumn(width=150),
            "Message": st.column_config.TextColumn(width=400),
        },
    )


def _duration(run: RunSummary) -> str:
    if run.started_at is None or run.ended_at is None:
        return words.DASH
    return words.lasting(run.ended_at - run.started_at)


def _by(run: RunSummary) -> str:
    origin = ORIGINS[run.origin]
    return f"{origin} {run.schedule}" if run.schedule else origin


def _choice(label: str, options: dict[str, str], key: str, everything: str) -> str:
    """A filter that may let everything through; empty for that."""
    with st.container(width=200):
        picked = choices.choose(label, {ANY: everything, **options}, key=key, first=ANY)
    return "" if picked == ANY else picked


def _schedules(workspace: Workspace) -> dict[str, str]:
    if not workspace.can("schedules.list"):
        return {}
    return {schedule.spec.name: schedule.spec.name for schedule in workspace.schedules.list()}


def _experiment() -> str:
    """The name of an experiment, typed; it stands in the address like the other filters."""
    key = "pipelines.by_experiment"
    if (named := address.take("experiment")) is not None:
        st.session_state[key] = named
    with st.container(width=200):
        typed = st.text_input("Experiment", key=key, placeholder="All experiments").strip()
    address.write({"experiment": typed})
    return typed


def _pages(found: Sequence[RunSummary], before: str, scope: str) -> None:
    with st.container(horizontal=True):
        if before and st.button("Newest runs", icon=":material/first_page:", key="pipelines.newest"):
            choices.put("before", "", scope=scope)
            st.rerun()
        if len(found) > PAGE and st.button("Older runs", icon=":material/chevron_right:", key="pipelines.older"):
            choices.put("before", found[PAGE - 1].id, scope=scope)
            st.rerun()


def _nothing(*, filtered: bool) -> None:
    if filtered:
        st.info("**No such runs.** Choose other filters, or go back to the newest runs.", icon=":material/filter_alt:")
        if st.button("Show all runs", icon=":material/filter_alt_off:", key="pipelines.unfiltered"):
            for key in ("of", "state", "scheduled"):
                choices.put(key, ANY)
            st.session_state.pop("pipelines.by_experiment", None)
            address.write(dict.fromkeys(("experiment", "before"), ""))
            st.rerun()
        return
    notices.empty(
        "No run yet",
        "Start one on the Pipelines tab, by a REST call, or by a schedule. It appears here with its steps.",
        icon="play_circle",
    )
