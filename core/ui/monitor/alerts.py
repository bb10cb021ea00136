"""The Alerts tab: rules, how they stand, and what they did."""

import time
from collections.abc import Mapping, Sequence

import streamlit as st

from core.domain.alerts import Alert, AlertEvent, AlertState, UnreadableAlert
from core.ui.kit import notices, words
from core.ui.kit.words import Word
from core.ui.monitor import alert_form
from core.ui.monitor.alert_words import condition, measured, reactions
from core.ui.monitor.opened import Opened
from core.ui.monitor.seen import LOOK_EVERY_S
from core.ui.shell import actions, choices, navigation, panels
from core.ui.shell.abilities import able, lacking, say
from core.ui.shell.live import live
from core.ui.shell.markup import literal

STATES: Mapping[AlertState, Word] = {
    AlertState.FIRING: Word("Firing", "red", "notifications_active"),
    AlertState.PENDING: Word("Pending", "orange", "schedule"),
    AlertState.OK: Word("OK", "green", "check_circle"),
    AlertState.UNKNOWN: Word("Too little to say", "gray", "help"),
}
EVENTS_MAX = 50


def show(opened: Opened) -> None:
    """The alerts of this endpoint, a form for one more, and the history."""
    known = _of(opened)
    with panels.panel("New alert", key="monitor.alert", opened_by="alert_new", first=not known) as panel:
        if panel.open:
            alert_form.show(opened, None)
    edited = choices.opened("alert", known, key="alert", scope=opened.name)
    # A form that is open is not drawn anew while somebody fills it in.
    live(
        lambda: (_of(opened), _unreadable_of(opened), time.time()),
        lambda _: LOOK_EVERY_S if opened.follow and not edited else None,
        lambda seen: _standing(opened, seen[0], seen[1], edited, seen[2]),
    )


def _of(opened: Opened) -> dict[str, Alert]:
    return {a.rule.name: a for a in opened.workspace.records.alerts() if a.rule.endpoint == opened.name}


def _unreadable_of(opened: Opened) -> tuple[UnreadableAlert, ...]:
    return tuple(a for a in opened.workspace.records.unreadable_alerts() if a.endpoint == opened.name)


def _standing(
    opened: Opened, known: Mapping[str, Alert], unreadable: Sequence[UnreadableAlert], edited: str, now: float
) -> None:
    """Every alert as it stands now, and what they did."""
    for broken in unreadable:
        with st.container(border=True, horizontal=True, horizontal_alignment="distribute"):
            st.error(f"**{literal(broken.name)}** watches nothing: {literal(broken.why)}", icon=":material/error:")
            _delete(opened, broken.name)
    for alert in known.values():
        _alert(opened, alert, edited == alert.rule.name, now)
    if not known and not unreadable:
        st.caption(f"No rule watches {literal(opened.name)} yet.")
    _history(opened, now)


def _alert(opened: Opened, alert: Alert, edited: bool, now: float) -> None:
    rule = alert.rule
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{literal(rule.name)}**", width="content")
            notices.badge(STATES[alert.state])
            st.markdown(f":small[:gray[since {words.moment(alert.since, now)}]]", width="content")
            _buttons(opened, alert, edited)
        st.markdown(f"{condition(rule)}. Now: **{measured(rule.metric, alert.value)}**.")
        if told := reactions(rule):
            st.caption(told)
        if alert.looked_at is None:
            st.caption("Not looked at yet: the service does so every few seconds.")
        elif alert.state is AlertState.UNKNOWN:
            st.caption(literal(alert.text))
        if alert.error:
            st.error(literal(alert.error), icon=":material/error:")
        if alert.run_id:
            navigation.link("Pipelines", "The run that it started", run=alert.run_id)
        if edited:
            alert_form.show(opened, rule)


def _buttons(opened: Opened, alert: Alert, edited: bool) -> None:
    name = alert.rule.name
    with st.container(horizontal=True, width="content", gap="small"):
        if st.button("Close" if edited else "Change", key=f"alert.edit.{name}", **able("records.set_alert")):
            choices.put("alert", "" if edited else name, scope=opened.name)
            st.rerun()
        _delete(opened, name)


def _delete(opened: Opened, name: str) -> None:
    with st.popover("Delete", **able("records.delete_alert")):
        st.markdown(f"Delete **{literal(name)}**? Its history stays.")
        if st.button("Delete the alert", key=f"alert.delete.{name}"):
            actions.apply("Deleting", _deleted, opened, name)


def _deleted(opened: Opened, name: str) -> bool:
    opened.workspace.records.delete_alert(name)
    return True


def _history(opened: Opened, now: float) -> None:
    st.markdown("**History**")
    if reason := lacking("records.alert_events"):
        say("History", reason)
        return
    events = [e for e in opened.workspace.records.alert_events(EVENTS_MAX) if e.endpoint == opened.name]
    if events:
        st.dataframe(_rows(events, now), hide_index=True, key="monitor.alert_events")
    else:
        st.caption("No alert has fired yet.")


def _rows(events: Sequence[AlertEvent], now: float) -> dict[str, list[str]]:
    return {
        "At": [words.moment(e.at, now) for e in events],
        "Alert": [e.alert for e in events],
        "State": [STATES[e.state].label for e in events],
        "What it said": [e.text for e in events],
    }
