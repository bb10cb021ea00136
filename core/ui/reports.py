"""Proof for people: gates with every check in plain words and its evidence, and load tests."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.domain.endpoint import Endpoint
from core.domain.errors import JobNotFound
from core.domain.job import Job, LogLine
from core.domain.proof import CheckResult, GateReport, LoadReport
from core.ui import actions, charts, choices, jobs, notices, words
from core.ui.live import FAST_S
from core.ui.state import state
from core.ui.words import Word
from core.workspace import Workspace

PARTS = {
    "parity": ("Parity", "The server gives the same numbers as the training process did."),
    "contract": ("Contract", "The server does what its published document says, for requests made to break it."),
    "semantic": ("Meaning", "Rows keep their order, answers do not depend on their neighbours, nonsense is refused."),
    "wire": ("Wire", "Keys, sizes, encodings and half-sent requests are handled as they must be."),
    "performance": ("Performance", "It answers fast enough, often enough, for its budget."),
    "shadow": ("Shadow", "Beside the live deployment, on the same requests, its answers are compared."),
}
"""Part of a gate -> its name, and what it proves."""

DEPTHS = {"default": "Usual (about half a minute)", "full": "Thorough (several minutes)"}


@dataclass(frozen=True, slots=True)
class Gated:
    """The gate that was asked for here, while it runs, and the reports there are."""

    job: Job | None
    log: tuple[LogLine, ...]
    reports: tuple[GateReport, ...]
    now: float


def run_form(workspace: Workspace, endpoint: Endpoint) -> None:
    """Ask for a gate of one deployment."""
    with st.form("quality.gate", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        names = [d.name for d in reversed(endpoint.deployments)]
        deployment = st.selectbox("Deployment", names, key=f"quality.deployment.{endpoint.name}", width=200)
        depth = st.selectbox("Depth", list(DEPTHS), key="quality.depth", format_func=DEPTHS.__getitem__, width=280)
        go = st.form_submit_button("Run the gate", type="primary", icon=":material/verified:", disabled=not names)
    if go:
        job = actions.run("Queueing the gate", workspace.run_gate, endpoint.name, deployment or "", depth=depth)
        if job is not None:
            state.gate_job = job.id
            st.rerun()


def look(workspace: Workspace, endpoint: str) -> Gated:
    """The running gate of this endpoint, if any, and its reports."""
    gates = [j for j in workspace.list_jobs(limit=20) if j.spec.get("endpoint") == endpoint and not j.state.final]
    job = gates[0] if gates else _asked(workspace, endpoint)
    log = workspace.job_logs(job.id, limit=8) if job is not None and not job.state.final else ()
    return Gated(job, log, workspace.gate_reports(endpoint), time.time())


def _asked(workspace: Workspace, endpoint: str) -> Job | None:
    """The gate asked for in this session, when it was for this endpoint and is still known."""
    if not state.gate_job:
        return None
    try:
        job = workspace.job(state.gate_job)
    except JobNotFound:
        return None
    return job if job.spec.get("endpoint") == endpoint else None


def pace(seen: Gated) -> float | None:
    """Often while a gate runs, then never."""
    return FAST_S if seen.job is not None and not seen.job.state.final else None


def draw(seen: Gated) -> None:
    """The running gate, the verdict that was chosen, every check of it, and how earlier ones went."""
    if seen.job is not None and not seen.job.state.final:
        jobs.progress(seen.job, (), seen.now)
        if seen.log:
            jobs.log(seen.log, seen.now)
    elif seen.job is not None and seen.job.message:
        notices.problem(seen.job.message, seen.job.hint)
    if not seen.reports:
        if seen.job is None:
            st.info("**Nothing was proven yet.** Run the gate above.", icon=":material/gpp_maybe:")
        return
    picked = choices.choose("Report", {r.id: _line(r, seen.now) for r in seen.reports}, key="report")
    report_of(next(r for r in seen.reports if r.id == picked), seen.now)
    if len(seen.reports) > 1:
        st.subheader("How earlier gates went", anchor=False)
        charts.show(charts.verdicts(seen.reports), key="quality.history", alt="Checks passed and failed in each gate")


def _line(report: GateReport, now: float) -> str:
    outcome = verdict(report)[1].lower()
    return f"{report.deployment}, model {report.model} · {outcome} · {words.moment(report.created_at, now)}"


def verdict(report: GateReport) -> tuple[str, str]:
    """A report's outcome: a colour and its word."""
    if report.failed:
        return "red", "Failed"
    return ("orange", "No verdict") if report.undecided else ("green", "Passed")


def report_of(report: GateReport, now: float) -> None:
    """One gate: its verdict in a sentence, then part by part every check with its evidence."""
    box = {"red": st.error, "orange": st.warning, "green": st.success}[verdict(report)[0]]
    icon = {"red": "gpp_bad", "orange": "gpp_maybe", "green": "verified"}[verdict(report)[0]]
    box(sentence(report), icon=f":material/{icon}:")
    budget = report.budget
    st.caption(
        f"Deployment {report.deployment} of {report.endpoint} · {report.depth} depth · took "
        f"{words.lasting(report.duration_s)} · {words.ago(report.created_at, now)} · budget: p99 at most "
        f"{words.milliseconds(budget.p99_ms)}, at least {words.count(budget.requests_per_s)} requests/s with "
        f"{words.plural(budget.rows, 'row')} and {words.plural(budget.concurrency, 'client')}"
    )
    parts = list(dict.fromkeys(c.part for c in report.checks))
    for part in sorted(parts, key=lambda p: list(PARTS).index(p) if p in PARTS else len(PARTS)):
        _part(part, [c for c in report.checks if c.part == part])


def sentence(report: GateReport) -> str:
    """The verdict as a sentence."""
    judged = [c for c in report.checks if c.passed is not None]
    if report.failed:
        violated = "; ".join(plainly(c) for c in report.failed[:3])
        return f"**Failed:** {len(report.failed)} of {words.plural(len(judged), 'check')} violated: {violated}."
    if report.undecided:
        return f"**No verdict:** {words.plural(len(report.undecided), 'check')} could not be judged."
    return f"**Passed:** all {words.plural(len(judged), 'check')} that apply hold."


def _part(part: str, checks: Sequence[CheckResult]) -> None:
    """One part of a gate, closed while there is nothing to worry about in it."""
    title, proves = PARTS.get(part, (words.identifier(part), ""))
    word, applying = _outcome(checks), [c for c in checks if c.passed is not None or c.no_verdict]
    held = f"{sum(c.passed is True for c in checks)} of {len(applying)}" if applying else "does not apply"
    label = f":{word.color}[{word.icon_code}] **{title}** {held} :gray[· {proves}]"
    with st.expander(label, expanded=word.color in ("red", "orange")):
        for check in checks:
            _check(check)


def _outcome(checks: Sequence[CheckResult]) -> Word:
    """The worst of some checks."""
    looks = [_look(c) for c in checks]
    return min(looks, key=lambda word: ("red", "orange", "green", "gray").index(word.color))


def _check(check: CheckResult) -> None:
    word = _look(check)
    st.markdown(f":{word.color}[{word.icon_code}] {plainly(check)}  \n:gray[:small[{words.literal(check.evidence)}]]")
    if check.passed is False and check.curl:
        st.code(check.curl, language="bash", wrap_lines=True)


def plainly(check: CheckResult) -> str:
    """What a check asks for, in plain words."""
    return check.about.rstrip(".") or words.identifier(check.name)


def _look(check: CheckResult) -> Word:
    if check.no_verdict:
        return Word("No verdict", "orange", "help")
    if check.passed is None:
        return Word("Does not apply", "gray", "remove_circle_outline")
    return Word("Holds", "green", "check_circle") if check.passed else Word("Violated", "red", "cancel")


def loads(reports: Sequence[LoadReport], now: float) -> None:
    """Load tests, newest first."""
    if not reports:
        st.caption("No load test was run. `python -m core loadtest URL` runs one against any endpoint.")
        return
    st.dataframe(
        {
            "At": [words.moment(r.created_at, now) for r in reports],
            "Requests/s": [r.requests_per_s for r in reports],
            "p50": [words.milliseconds(r.p50_ms) for r in reports],
            "p95": [words.milliseconds(r.p95_ms) for r in reports],
            "p99": [words.milliseconds(r.p99_ms) for r in reports],
            "Failed": [f"{r.failed:,} of {r.requests:,}" for r in reports],
            "Clients": [r.concurrency for r in reports],
            "Rows each": [r.rows for r in reports],
            "Address": [r.url for r in reports],
        },
        hide_index=True,
        key="quality.loads",
        column_config={"Requests/s": st.column_config.NumberColumn(format="%,.0f")},
    )
