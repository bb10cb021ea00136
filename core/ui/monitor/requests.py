"""The Requests tab: the newest, the slowest, or one by its id; what the server logged stands beside it."""

import time
from dataclasses import dataclass

import streamlit as st

from core.domain.job import LogLine
from core.domain.monitoring import RequestQuery, RequestRecord, is_server_error
from core.ui.kit import logs, words
from core.ui.monitor import request_table
from core.ui.monitor.asked import lately, whose
from core.ui.monitor.opened import Opened
from core.ui.shell import address, choices
from core.ui.shell.state import state

ORDERS = {"newest": "Newest", "slowest": "Slowest"}
ANY, RIGHT, REJECTED, WRONG = "any", "succeeded", "rejected", "failed"
ENDINGS = {ANY: "All", RIGHT: "Succeeded", REJECTED: "Rejected (4xx)", WRONG: "Failed (5xx, 424)"}
SHOWN = 100
LINES, NEWEST_LINES = 100, 8
TEXT = "monitor.find"


@dataclass(frozen=True, slots=True)
class Found:
    """Requests that were looked for, the one that was clicked, and what the server logged."""

    requests: tuple[RequestRecord, ...]
    chosen: RequestRecord | None
    log: tuple[LogLine, ...]
    now: float


def show(opened: Opened) -> None:
    """What to look for, and what was found."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = choices.choose("Order", ORDERS, key="order", draw=choices.segments)
        ending = choices.choose("Outcome", ENDINGS, key="outcome", first=ANY)
        names = {"": "All", **{d.name: d.name for d in opened.endpoint.deployments}}
        deployment = choices.choose("Deployment", names, key="answered_by", scope=opened.name, noun="deployment")
        text = _asked_text()
    opened.watch(lambda: look(opened, order, ending, deployment, text), lambda found: draw(opened, found))


def _asked_text() -> str:
    """A request's id, or its beginning, typed or named by the address."""
    named = address.take("find", by="requests")
    if named is not None:
        st.session_state[TEXT] = named
    text = st.text_input(
        "Request ID",
        key=TEXT,
        placeholder="x-request-id, the client's id, or a trace id",
        help="Or what one begins with. The whole history is searched, not this window alone.",
    )
    address.write({"find": text.strip()})
    return text.strip()


def look(opened: Opened, order: str, ending: str, deployment: str, text: str) -> Found:
    """Search, and read the log of what was clicked; without a click, the newest lines."""
    requests = _search(opened, order, ending, deployment, text)
    by_id = {request.request_id: request for request in requests}
    chosen = by_id.get(state.seen_request) or (requests[0] if text and requests else None)
    can_log = opened.workspace.can("endpoints.logs")
    request_id = chosen.request_id if chosen else ""
    lines = LINES if chosen else NEWEST_LINES
    log = opened.workspace.endpoints.logs(opened.name, lines, request_id=request_id) if can_log else ()
    return Found(requests, chosen, log, time.time())


def _search(opened: Opened, order: str, ending: str, deployment: str, text: str) -> tuple[RequestRecord, ...]:
    records, origin = opened.workspace.records, opened.origin
    statuses = _statuses(opened, ending)
    if ending != ANY and not statuses:
        return ()
    if opened.workspace.can("records.search"):
        since = None if text else time.time() - opened.window[0]
        query = RequestQuery(since, None, text, statuses, deployment, slowest=order == "slowest", limit=SHOWN)
        return records.search(opened.name, query, origin=origin)
    if not opened.workspace.can("records.requests"):
        return ()
    newest = records.requests(opened.name, SHOWN, origin=origin)
    fit = [
        r
        for r in newest
        if (not statuses or r.status in statuses)
        and deployment in ("", r.deployment)
        and any(each.startswith(text) for each in (r.request_id, r.client_request_id, r.trace_id))
    ]
    return tuple(sorted(fit, key=lambda r: -r.elapsed_ms) if order == "slowest" else fit)


def _statuses(opened: Opened, ending: str) -> tuple[int, ...]:
    """Those that there were in the window, of the outcome that is looked for."""
    known = opened.summary().by_status
    kinds = {
        RIGHT: lambda status: status < 400,
        REJECTED: lambda status: status >= 400 and not is_server_error(status),
        WRONG: is_server_error,
    }
    return tuple(status for status in known if kinds[ending](status)) if ending in kinds else ()


def draw(opened: Opened, found: Found) -> None:
    """The requests, and beside them the log."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if found.requests:
            _table(opened, found)
        else:
            st.info("**No matching requests.** Choose a longer window, or another sender.", icon=":material/search:")
    with right:
        if found.chosen:
            st.table(request_table.facts(found.chosen, found.now))
        st.markdown("**Server log of this request**" if found.chosen else "**Server log**")
        if found.log or not found.chosen:
            logs.show(found.log, found.now)
        else:
            st.caption("The server kept no line of this request: its log is rotated, and holds the newest lines.")


def _table(opened: Opened, found: Found) -> None:
    key = "monitor.requests.table"
    ids = [request.request_id for request in found.requests]
    row = ids.index(found.chosen.request_id) if found.chosen else None
    # A new request moves those below it: the mark goes along.
    st.session_state[key] = {"selection": {"rows": [] if row is None else [row]}}

    def clicked() -> None:
        rows = st.session_state[key]["selection"].get("rows", [])
        state.seen_request = ids[rows[0]] if rows else ""

    request_table.show(found.requests, found.now, key=key, height=560, on_select=clicked)
    st.caption(
        f"{whose(opened.origin)}, {lately(opened.window[0])}: "
        + (f"the first {SHOWN} requests" if len(ids) >= SHOWN else words.plural(len(ids), "request"))
        + ". Click a row for its log."
    )
