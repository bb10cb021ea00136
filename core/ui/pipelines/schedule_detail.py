"""One schedule: when it fires next, what it starts, what became of its fires, and what can be done with it."""

from collections.abc import Iterator, Sequence
from typing import Any

import streamlit as st

from core.domain.run import RunSummary
from core.domain.schedule import Fire, Schedule
from core.ui.kit import moments, notices, tables, words
from core.ui.pipelines import schedule_preview
from core.ui.pipelines.schedule_list import pipeline_of, sentence
from core.ui.pipelines.schedule_texts import MISFIRES, OFF, ON, OUTCOMES, OVERLAPS
from core.ui.shell import actions, navigation
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal
from core.workspace import Workspace

FIRES_SHOWN = 50


def draw(workspace: Workspace, schedule: Schedule, last: RunSummary | None, now: float) -> None:
    """All that is known of it, and its buttons."""
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(literal(schedule.spec.name), anchor=False, width="content")
            notices.badge(ON if schedule.enabled else OFF)
        left, right = st.columns([3, 2], gap="medium")
        with left:
            st.markdown(f":material/event_repeat: **{literal(sentence(schedule))}**")
            st.markdown("  \n".join(f":small[{fact}]" for fact in _facts(schedule)))
            _last(last, now)
        with right:
            _next(schedule)
        _acts(workspace, schedule)


def _facts(schedule: Schedule) -> Iterator[str]:
    """What it starts, and its policies (Markdown)."""
    spec = schedule.spec
    version = "" if spec.version else ", its default version"
    yield f"Starts **{literal(pipeline_of(schedule))}**{version}, in experiment {literal(spec.experiment_name)}."
    misfire, overlap = MISFIRES[spec.misfire], OVERLAPS[spec.overlap]
    yield f":gray[Missed fires: {misfire[0].lower()}. {misfire[1]}]"
    yield f":gray[Overlap: {overlap[0].lower()}. {overlap[1]}]"
    if spec.parameters:
        given = ", ".join(f"{name} = {_value(value)}" for name, value in spec.parameters.items())
        yield f":gray[Parameters: {literal(given)}]"


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else str(value)


def _last(run: RunSummary | None, now: float) -> None:
    if run is None:
        return
    word = words.state(run.state)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Last run: :{word.color}[{word.icon_code} {word.label}]", width="content")
        navigation.link("Pipelines", f"Run {run.number}, {words.ago(run.ended_at or run.created_at, now)}", run=run.id)


def _next(schedule: Schedule) -> None:
    if not schedule.enabled:
        st.caption(":material/pause_circle: It is off: it starts nothing by itself.")
        return
    seen = schedule_preview.Preview("", schedule.next_fires_at, schedule.spec.timezone, schedule.spec.data)
    schedule_preview.draw(seen)


def _acts(workspace: Workspace, schedule: Schedule) -> None:
    name = schedule.spec.name
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Turn off" if schedule.enabled else "Turn on",
            icon=":material/pause:" if schedule.enabled else ":material/power_settings_new:",
            key=f"schedules.on.{name}",
            **able("schedules.enable", help="What is due while it is off is not made up for."),
        ):
            actions.apply("Switching", workspace.schedules.enable, name, not schedule.enabled)
        if st.button(
            "Run now",
            icon=":material/play_arrow:",
            key=f"schedules.run_now.{name}",
            **able("schedules.run_now", help="Starts the run that it would start now, also while it is off."),
        ) and (run := actions.run("Starting the run", workspace.schedules.run_now, name)):
            navigation.go("Pipelines", run=run.id)
        _delete(workspace, name)
        navigation.link("Pipelines", "Its runs", view="Runs", scheduled=name)


def _delete(workspace: Workspace, name: str) -> None:
    with st.popover("Delete", icon=":material/delete:", key=f"schedules.delete.{name}", **able("schedules.delete")):
        st.markdown(f"Delete the schedule **{literal(name)}**? The runs that it started stay.")
        if st.button(
            "Delete this schedule", type="primary", icon=":material/delete:", key=f"schedules.confirm_delete.{name}"
        ):
            actions.apply("Deleting", _deleted, workspace, name)


def _deleted(workspace: Workspace, name: str) -> bool:
    workspace.schedules.delete(name)
    return True


def history(fires: Sequence[Fire], schedule: Schedule, now: float) -> None:
    """What became of its fires, newest first; a click on one opens its run."""
    st.markdown("**Fires**")
    if not fires:
        st.caption("It has not fired yet.")
        return
    st.caption("Click a row to open its run.")
    key = f"schedules.fires.{schedule.spec.name}"
    picked = st.dataframe(
        {
            "Due": [_due(fire, schedule) for fire in fires],
            "What became of it": [OUTCOMES[fire.outcome].label for fire in fires],
            "Why": [fire.message for fire in fires],
            "Recorded": [words.ago(fire.recorded_at, now) for fire in fires],
        },
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode=tables.BY_ROW,
        column_config={"Why": st.column_config.TextColumn(width="large")},
    )
    row = tables.clicked(picked["selection"])
    if row is not None and row < len(fires) and fires[row].run_id:
        navigation.go("Pipelines", run=fires[row].run_id)


def _due(fire: Fire, schedule: Schedule) -> str:
    """When it was due, or what asked for it: a person, or a new version."""
    if fire.key.startswith("now:"):
        return "By hand"
    return fire.key if ":" in fire.key else moments.there(fire.due_at, schedule.spec.timezone)
