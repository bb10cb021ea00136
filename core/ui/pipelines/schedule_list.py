"""The list of schedules: a click on one opens it."""

import streamlit as st

from core.domain.run import RunSummary
from core.domain.schedule import Schedule
from core.ui.kit import moments, tables, words
from core.ui.pipelines.schedule_texts import MISFIRES, OFF, ON, OVERLAPS
from core.ui.pipelines.schedules import Schedules
from core.ui.shell import choices

TABLE = "schedules.list"
WIDTHS = {"Name": 110, "On": 44, "Pipeline": 150, "When": 240, "Next fire": 150, "Last run": 140, "Time zone": 110}


def draw(seen: Schedules) -> None:
    """Each schedule in a row."""
    known = seen.schedules
    st.caption("Click a row to open its schedule.")
    st.dataframe(
        {
            "Name": [s.spec.name for s in known],
            "On": [(ON if s.enabled else OFF).label for s in known],
            "Pipeline": [pipeline_of(s) for s in known],
            "When": [sentence(s) for s in known],
            "Next fire": [next_fire(s) for s in known],
            "Last run": [last_run(seen.last.get(s.spec.name), seen.now) for s in known],
            "Time zone": [s.spec.timezone for s in known],
            "Missed fires": [MISFIRES[s.spec.misfire][0] for s in known],
            "Overlap": [OVERLAPS[s.spec.overlap][0] for s in known],
        },
        hide_index=True,
        key=TABLE,
        on_select=lambda: _open(seen),
        selection_mode=tables.BY_ROW,
        column_config={name: st.column_config.TextColumn(width=width) for name, width in WIDTHS.items()},
    )


def _open(seen: Schedules) -> None:
    """Show the schedule whose row was clicked."""
    row = tables.clicked(st.session_state[TABLE].selection)
    if row is not None and row < len(seen.schedules):
        choices.put("schedule", seen.schedules[row].spec.name)


def pipeline_of(schedule: Schedule) -> str:
    """What it starts: a pipeline, with its version where one is pinned."""
    spec = schedule.spec
    return f"{spec.pipeline}, version {spec.version}" if spec.version else spec.pipeline


def sentence(schedule: Schedule) -> str:
    """When it fires, as a sentence begins."""
    return schedule.words[:1].upper() + schedule.words[1:]


def next_fire(schedule: Schedule) -> str:
    """Its next time, where it has one."""
    if not schedule.enabled:
        return words.DASH
    if schedule.spec.data:
        return "With the next version"
    return moments.soon(next(iter(schedule.next_fires_at), None), schedule.spec.timezone)


def last_run(run: RunSummary | None, now: float) -> str:
    """How its last run stands."""
    if run is None:
        return words.DASH
    return f"{words.state(run.state).label}, {words.ago(run.ended_at or run.created_at, now)}"
