"""The Outcomes tab: how good the answers were, as far as it is known by now."""

import time

import streamlit as st

from core.definitions.feedback import read_feedback
from core.domain.outcomes import FeedbackReceipt, LiveQuality, Measured
from core.ui.kit import charts, words
from core.ui.monitor import cached, data_charts
from core.ui.monitor.asked import choose_span, lately
from core.ui.monitor.opened import Opened
from core.ui.monitor.verdict import worse
from core.ui.shell import actions, panels
from core.ui.shell.abilities import able, lacking, say
from core.ui.shell.markup import literal
from core.ui.shell.state import state

EXAMPLE = "request_id,row,outcome\n0b9f2c1e-...,0,yes\n0b9f2c1e-...,1,no\n"


def show(opened: Opened) -> None:
    """The figures, and the way to send outcomes."""
    if reason := lacking("records.quality"):
        say("Live quality", reason)
    else:
        _quality(opened)
    _send(opened)


def _quality(opened: Opened) -> None:
    window_s = choose_span("outcomes_window", "30d")
    found = cached.quality(opened.name, window_s).told()
    now = time.time()
    if not found.metrics:
        why = words.sentence(found.reason) or f"{words.count(found.rows_needed)} rows are needed."
        st.info(
            f"**Too few outcomes to judge by:** {words.plural(found.rows, 'row')} of {words.count(found.scored)} "
            f"scored in {lately(window_s)} have one. {literal(why)}",
            icon=":material/hourglass_empty:",
        )
        return
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Live against training**")
        charts.show(data_charts.metrics(found.metrics, found.trained), key="monitor.metrics", alt="Live metrics")
    with right:
        if found.calibration:
            st.markdown("**Calibration**")
            charts.show(data_charts.calibration(found.calibration, ""), key="monitor.calibration", alt="Calibration")
    st.table(_table(found))
    st.caption(
        f"{words.plural(found.rows, 'row')} with a known outcome, of {words.count(found.scored)} that "
        f"{found.deployment} scored, {words.moment(found.since, now)} to {words.moment(found.until, now)}. Intervals: "
        "95 % confidence. Training: cross-validation."
    )


def _table(found: LiveQuality) -> dict[str, list[str]]:
    names = list(found.metrics)
    rows = {
        "Metric": [words.metric(name) for name in names],
        "Live": [words.score(found.metrics[name].value) for name in names],
        "95 % interval": [_interval(found.metrics[name]) for name in names],
        "Training": [words.score(found.trained.get(name)) for name in names],
        "Verdict": [_verdict(name, found) for name in names],
    }
    if found.cost is not None:
        cost = ("Cost of a decision", words.number(found.cost.value), _interval(found.cost), words.DASH, words.DASH)
        for column, value in zip(rows.values(), cost, strict=True):
            column.append(value)
    return rows


def _interval(of: Measured) -> str:
    return f"{of.low:.4f} to {of.high:.4f}"


def _verdict(name: str, found: LiveQuality) -> str:
    if name not in found.trained:
        return words.DASH
    return "Worse than in training" if worse(name, found.metrics[name], found.trained[name]) else "As in training"


def _send(opened: Opened) -> None:
    """A file of outcomes, and what became of it."""
    _receipt(state.receipt)
    with panels.panel("Send outcomes", key="monitor.outcomes", icon="upload_file") as panel:
        if not panel.open:
            return
        st.markdown(
            "A CSV file with the columns `request_id`, `row` (from 0, within the request) and `outcome` (the class, or "
            "the number). The request id is `x-request-id` of the answer, or the id that the client gave it."
        )
        st.code(EXAMPLE, language=None)
        file = st.file_uploader("Outcomes", type=["csv"], key=f"monitor.feedback.{state.uploads}")
        verb = "records.send_feedback"
        if st.button("Send", key="monitor.feedback.send", type="primary", **able(verb, unless=file is None)) and file:
            receipt = actions.run("Sending", _sent, opened, file.getvalue())
            if receipt is not None:
                state.receipt, state.uploads = receipt, state.uploads + 1
                cached.forget()
                st.rerun()
        st.caption(f"`python -m core endpoint feedback {opened.name} FILE` does the same.")


def _sent(opened: Opened, content: bytes) -> FeedbackReceipt:
    return opened.workspace.records.send_feedback(opened.name, read_feedback(content))


def _receipt(receipt: FeedbackReceipt | None) -> None:
    """What became of the outcomes that were sent last; those that match nothing are named."""
    if receipt is None:
        return
    replaced = f", {words.count(receipt.replaced)} of them known before" if receipt.replaced else ""
    show, icon = (st.warning, "warning") if receipt.unmatched else (st.success, "check_circle")
    lost = f"; {words.count(receipt.unmatched)} match no kept answer" if receipt.unmatched else ""
    show(
        f"**{words.plural(receipt.received, 'outcome')} received for {literal(receipt.endpoint)}:** "
        f"{words.count(receipt.matched)} matched{replaced}{lost}.",
        icon=f":material/{icon}:",
    )
    if receipt.examples:
        st.dataframe(
            {
                "Request ID": [each.request_id for each in receipt.examples],
                "Row": [each.row for each in receipt.examples],
                "Why it matches nothing": [each.reason for each in receipt.examples],
            },
            hide_index=True,
            key="monitor.unmatched",
        )
