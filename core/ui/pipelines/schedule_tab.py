"""The Schedules tab: all schedules, one of them in full, and a form for a new one."""

import time

import streamlit as st

from core.domain.schedule import Schedule
from core.ui.kit import notices
from core.ui.pipelines import schedule_detail, schedule_form, schedule_list
from core.ui.pipelines.schedules import Schedules, look, pace
from core.ui.shell import abilities, choices
from core.ui.shell.live import live
from core.workspace import Workspace


def show(workspace: Workspace) -> None:
    """Everything about schedules; what is shown follows what happens."""
    if reason := abilities.lacking("schedules.list", "pipelines.list"):
        abilities.say("Schedules", reason)
        return
    seen = look(workspace)
    published = workspace.pipelines.list()
    if not published:
        schedule_form.nothing_to_schedule()
        return
    schedule_form.create(workspace, published, seen.schedules, first=False)
    if not seen.schedules:
        notices.empty(
            "Nothing is scheduled yet",
            "Create a schedule above: it starts a pipeline at fixed times, or for each new version of a table.",
            icon="event_repeat",
        )
        return
    opened = _opened(seen)
    live(lambda: look(workspace), pace, lambda now: _draw(workspace, now, opened))
    for schedule in seen.schedules:
        if schedule.spec.name == opened:
            schedule_form.edit(workspace, schedule)
            _history(workspace, schedule, pace(seen))


def _history(workspace: Workspace, schedule: Schedule, every_s: float) -> None:
    if abilities.lacking("schedules.fires"):
        return
    live(
        lambda: workspace.schedules.fires(schedule.spec.name, schedule_detail.FIRES_SHOWN),
        lambda _: every_s,
        lambda fires: schedule_detail.history(fires, schedule, time.time()),
    )


def _opened(seen: Schedules) -> str:
    return choices.opened("schedule", [schedule.spec.name for schedule in seen.schedules], key="schedule")


def _draw(workspace: Workspace, seen: Schedules, opened: str) -> None:
    schedule_list.draw(seen)
    if _opened(seen) != opened:
        st.rerun()  # another row was clicked: what stands beside the live part follows
    for schedule in seen.schedules:
        if schedule.spec.name == opened:
            schedule_detail.draw(workspace, schedule, seen.last.get(opened), seen.now)
