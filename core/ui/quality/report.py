"""A gate's report: the verdict, every check with its evidence, and the command that repeats it."""

from collections.abc import Sequence

import streamlit as st

from core.contract.junit import junit
from core.domain.endpoint import GateBudget
from core.domain.pipeline import ValueType
from core.domain.proof import GateReport
from core.ui.kit import checks, lineage, words
from core.ui.quality.gates import Gates
from core.ui.shell import choices, navigation
from core.ui.shell.markup import literal
from core.ui.shell.state import state

MEANING = (
    "A gate tests a deployment before it gets traffic. It sends a server with the same model hundreds of "
    "requests, many of them made to break it, and keeps the results."
)
ICONS = {"red": "gpp_bad", "orange": "gpp_maybe", "green": "verified"}


def show(gates: Gates) -> None:
    """The report that is chosen, where there is one."""
    if gates.reports:
        st.subheader("Gate report", anchor=False)
        st.caption(MEANING)
        _report(gates, _choose(gates.reports, gates.now))
    elif gates.job is None:
        st.info("**No gate has run yet.** Run one above.", icon=":material/gpp_maybe:")


def _choose(reports: Sequence[GateReport], now: float) -> GateReport:
    """The report that the visitor or the address chooses; one that has just come is chosen by itself."""
    newest = reports[0].id
    if state.newest_report not in ("", newest):
        choices.put("report", newest)
    state.newest_report = newest
    picked = choices.choose("Report", {r.id: _line(r, now) for r in reports}, key="report")
    return next(r for r in reports if r.id == picked)


def _line(report: GateReport, now: float) -> str:
    outcome = verdict(report)[1].lower()
    return f"{report.deployment}, model {report.model} · {outcome} · {words.moment(report.created_at, now)}"


def verdict(report: GateReport) -> tuple[str, str]:
    """A report's outcome: a colour and its word."""
    if report.failed:
        return "red", "Failed"
    return ("orange", "No verdict") if report.undecided else ("green", "Passed")


def _report(gates: Gates, report: GateReport) -> None:
    """One gate: its verdict in a sentence, then part by part every check with its evidence."""
    color = verdict(report)[0]
    box = {"red": st.error, "orange": st.warning, "green": st.success}[color]
    box(sentence(report), icon=f":material/{ICONS[color]}:")
    st.caption(_facts(report, gates.now))
    lineage.show(gates.workspace, ValueType.REPORT, report.id)
    if report.loosened_by:
        st.markdown(
            f":orange[:material/timer:] **{literal(report.loosened_by)}** set this budget, which is "
            "looser than the deployment's own."
        )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        commands = st.toggle("Show the command of each check", key="quality.commands")
        _download(report)
    for part in checks.parts_of(report.checks):
        checks.draw_part(part, [c for c in report.checks if c.part == part], commands)
    if commands:
        _again(report)


def sentence(report: GateReport) -> str:
    """The verdict as a sentence."""
    judged = [c for c in report.checks if c.passed is not None]
    if report.failed:
        violated = "; ".join(checks.plainly(c) for c in report.failed[:3])
        more = f"; and {len(report.failed) - 3} more" if len(report.failed) > 3 else ""
        return f"**Failed:** {len(report.failed)} of {words.plural(len(judged), 'check')} failed: {violated}{more}."
    if report.undecided:
        return f"**No verdict:** {words.plural(len(report.undecided), 'check')} could not be judged."
    if len(judged) == 1:
        return "**Passed:** the only applicable check passed."
    return f"**Passed:** all {len(judged)} applicable checks passed."


def _facts(report: GateReport, now: float) -> str:
    return (
        f"Deployment {report.deployment} of {report.endpoint}, model {literal(report.model)} · "
        f"{report.depth} depth · took {words.lasting(report.duration_s)} · "
        f"{words.ago(report.created_at, now)} · budget: {_budget(report.budget)}"
    )


def _budget(asked: GateBudget) -> str:
    """What the performance part asks for, in words."""
    return (
        f"p99 at most {words.milliseconds(asked.p99_ms)}, at least {words.count(asked.requests_per_s)} "
        f"requests/s, {words.plural(asked.rows, 'row')} per request, {words.plural(asked.concurrency, 'client')}"
    )


def _download(report: GateReport) -> None:
    name = f"{report.endpoint}.{report.deployment}"
    st.download_button(
        "JUnit report",
        lambda: junit(name, report.checks, report.duration_s),
        file_name=f"gate-{name}.xml",
        mime="application/xml",
        icon=":material/download:",
        key="quality.junit",
        on_click="ignore",
        help="For continuous integration servers. `--junit FILE` writes the same.",
    )


def _again(report: GateReport) -> None:
    st.markdown("**Run the whole gate again** from a shell. Exit code 0: passed; 1: failed; 3: no verdict.")
    st.code(_command(report.endpoint, report.deployment, report.depth), language="bash", wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("The commands read the endpoint's key from `SLIPWAY_KEY`.", width="content")
        navigation.link("Deploy", "The keys", endpoint=report.endpoint, use="Keys")


def _command(endpoint: str, deployment: str, depth: str = "default") -> str:
    """The command that runs a gate as this page does."""
    deep = " --depth full" if depth == "full" else ""
    return f"python -m core gate {endpoint} --deployment {deployment}{deep} --junit gate.xml"
