"""The Failures tab: what the endpoint failed on, and why it refused."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.domain.monitoring import ExceptionGroup, Refusal
from core.ui.kit import words
from core.ui.monitor.asked import lately, whose
from core.ui.monitor.opened import Opened
from core.ui.shell.abilities import lacking, say
from core.ui.shell.markup import code, literal

REASONS = {
    "required": "Required, and missing",
    "unknown_column": "Column that the model does not have",
    "named_twice": "Column named twice",
    "not_json": "Not JSON",
    "key_refused": "Wrong key",
    "media_refused": "Wrong media type",
}
"""Codes that do not speak for themselves."""
GROUPS_MAX = 10
IDS_MAX = 3


@dataclass(frozen=True, slots=True)
class Failures:
    """By cause, the most frequent first."""

    exceptions: tuple[ExceptionGroup, ...]
    refusals: tuple[Refusal, ...]
    now: float


def show(opened: Opened) -> None:
    """As they are now, for as long as the page follows."""
    opened.watch(lambda: look(opened), lambda found: draw(opened, found))


def look(opened: Opened) -> Failures:
    """Both, of the window."""
    records, can, window_s = opened.workspace.records, opened.workspace.can, opened.window[0]
    return Failures(
        records.exceptions(opened.name, window_s, origin=opened.origin) if can("records.exceptions") else (),
        records.refusals(opened.name, window_s, origin=opened.origin) if can("records.refusals") else (),
        time.time(),
    )


def draw(opened: Opened, found: Failures) -> None:
    """What failed first: that is ours to mend."""
    where = f"{whose(opened.origin)}, {lately(opened.window[0])}"
    st.markdown("**Failed, by cause**")
    if reason := lacking("records.exceptions"):
        say("Failures by cause", reason)
    elif not found.exceptions:
        st.success(f"Nothing failed ({where}).", icon=":material/check_circle:")
    for group in found.exceptions[:GROUPS_MAX]:
        _group(opened, group, found.now)
    if len(found.exceptions) > GROUPS_MAX:
        st.caption(f"And {words.plural(len(found.exceptions) - GROUPS_MAX, 'more cause')}, each with fewer requests.")
    st.markdown("**Rejected, by reason**")
    if reason := lacking("records.refusals"):
        say("Rejections by reason", reason)
    elif not found.refusals:
        st.success(f"Nothing was rejected ({where}).", icon=":material/check_circle:")
    else:
        _refusals(found.refusals, found.now)
        st.caption(
            f"{where}. A request may be rejected for several reasons at once. Categories that the model has never "
            "seen are told by name where inputs are collected; other values never are."
        )


def _group(opened: Opened, group: ExceptionGroup, now: float) -> None:
    with st.container(border=True, gap="small"):
        where = f" at {code(group.where)}" if group.where else ""
        st.markdown(f":red[:material/error:] **{literal(group.kind)}**{where}: {literal(group.message)}")
        on = f" on {', '.join(group.deployments)}" if group.deployments else ""
        st.caption(
            f"{words.plural(group.count, 'request')}{on}, first {words.moment(group.first, now)}, last "
            f"{words.ago(group.last, now)}."
        )
        if group.request_ids:
            with st.container(horizontal=True, gap="small"):
                for request_id in group.request_ids[:IDS_MAX]:
                    opened.link("Requests", request_id[:18], find=request_id)
        with st.expander("Traceback", icon=":material/code:"):
            st.code(group.traceback or "The server kept no traceback.", language=None)


def _refusals(found: Sequence[Refusal], now: float) -> None:
    total = sum(refusal.count for refusal in found)
    st.dataframe(
        {
            "Reason": [REASONS.get(r.reason, words.identifier(r.reason)) for r in found],
            "Column": [r.column or "the request as a whole" for r in found],
            "Requests": [r.count for r in found],
            "Share": [words.percent(r.count / total if total else None) for r in found],
            "Example": [r.example for r in found],
            "Last": [words.ago(r.last or None, now) for r in found],
        },
        hide_index=True,
        key="monitor.refusals",
    )
