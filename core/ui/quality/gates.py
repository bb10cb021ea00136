"""Gates for people: what stands between each deployment and its requests, and a gate as it runs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from core.domain.endpoint import Deployment, Endpoint, GateBudget
from core.domain.errors import JobNotFound
from core.domain.job import Job, JobKind, JobState
from core.domain.proof import CheckResult, GateReport
from core.ui.kit import jobs, notices, words
from core.ui.kit.words import Word
from core.ui.quality import reports
from core.ui.shell import actions, failures, navigation
from core.ui.shell.live import FAST_S
from core.ui.shell.markup import literal
from core.ui.shell.state import state
from core.workspace import Workspace

MEANING = (
    "A gate tries to prove a deployment wrong before its users can. It starts a server of its own with the same model, "
    "sends it hundreds of requests, many of them made to break it, and keeps what it saw."
)
LATEST = 3
"""Checks that a running gate shows besides violations: enough to see it move."""
WAITING, RUNNING = Word("Waits", "gray", "schedule"), Word("Runs", "blue", "progress_activity")


@dataclass(frozen=True, slots=True)
class Gates:
    """An endpoint with the gate that runs or was asked for here, and the reports there are."""

    endpoint: Endpoint
    job: Job | None
    judged: tuple[CheckResult, ...]
    reports: tuple[GateReport, ...]
    now: float

    @property
    def running(self) -> bool:
        return self.job is not None and not self.job.state.final


def run_form(workspace: Workspace, endpoint: Endpoint) -> None:
    """Ask for a gate of one deployment."""
    with st.form("quality.gate", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        names = [d.name for d in reversed(endpoint.deployments)]
        deployment = st.selectbox("Deployment", names, key=f"quality.deployment.{endpoint.name}", width=200)
        depth = st.selectbox(
            "Depth", list(reports.DEPTHS), key="quality.depth", format_func=reports.DEPTHS.__getitem__, width=260
        )
        with st.popover("Budget", icon=":material/timer:"):
            budget, by = _budget()
        go = st.form_submit_button("Run the gate", type="primary", icon=":material/verified:", disabled=not names)
    if go:
        job = actions.run(
            "Queueing the gate", workspace.run_gate, endpoint.name, deployment or "", depth=depth, budget=budget, by=by
        )
        if job is not None:
            state.gate_job = job.id
            st.rerun()


def _budget() -> tuple[GateBudget | None, str]:
    """The budget that the visitor gives, None for the deployment's own; and who answers for a looser one."""
    own = "The deployment's own"
    p99_ms = st.number_input("99 of 100 answers within, ms", 1.0, 60_000.0, None, placeholder=own, key="quality.p99_ms")
    rate = st.number_input("At least, requests/s", 1.0, 1e6, None, placeholder=own, key="quality.requests_per_s")
    by = st.text_input("Your name, for a looser one", key="quality.by", help="The report keeps it and shows it.")
    if p99_ms is None and rate is None:
        return None, by.strip()
    usual = GateBudget()
    return GateBudget(p99_ms or usual.p99_ms, rate or usual.requests_per_s), by.strip()


def look(workspace: Workspace, name: str) -> Gates:
    """The endpoint, its running gate, if any, and its reports."""
    active = [j for j in workspace.list_jobs(JobKind.GATE, limit=50, endpoint=name) if not j.state.final]
    running = min(active, key=lambda j: (j.state is not JobState.RUNNING, j.created_at), default=None)
    job = running or _asked(workspace, name)
    judged = workspace.gate_progress(job.id) if job is not None and not job.state.final else ()
    return Gates(workspace.endpoint(name), job, judged, workspace.gate_reports(name), time.time())


def _asked(workspace: Workspace, endpoint: str) -> Job | None:
    """The gate asked for in this session, when it was for this endpoint and is still known."""
    if not state.gate_job:
        return None
    try:
        job = workspace.job(state.gate_job)
    except JobNotFound:
        return None
    return job if job.spec.get("endpoint") == endpoint else None


def pace(seen: Gates) -> float | None:
    """Often while a gate runs, then never."""
    return FAST_S if seen.running else None


def draw(workspace: Workspace, seen: Gates) -> None:
    """Each deployment's verdict, the running gate, the report that was chosen, and how earlier ones went."""
    for deployment in reversed(seen.endpoint.deployments):
        _deployment(seen, deployment)
    if seen.job is not None and seen.running:
        _progress(workspace, seen, seen.job)
    elif seen.job is not None and seen.job.message:
        failures.say(seen.job.message, seen.job.hint)
    if not seen.reports:
        if seen.job is None:
            st.info("**Nothing was proven yet.** Run the gate above.", icon=":material/gpp_maybe:")
        return
    st.subheader("What was tried, and what came of it", anchor=False)
    st.caption(MEANING)
    reports.show(reports.choose(seen.reports, seen.now), seen.now)
    if len(seen.reports) > 1:
        reports.history(seen.reports, seen.now)


# One deployment


def _deployment(seen: Gates, deployment: Deployment) -> None:
    """May it take requests, why, and who said so where no gate did."""
    share = seen.endpoint.traffic.get(deployment.name, 0)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(
                f"**{deployment.name}** :gray[{deployment.model}, version {deployment.model_version} · "
                f"{share} % of requests]",
                width="content",
            )
            notices.badge(words.state(deployment.gate))
        report = next((r for r in seen.reports if r.deployment == deployment.name), None)
        if report is not None:
            st.markdown(f":small[{reports.sentence(report)} :gray[{words.ago(report.created_at, seen.now)}]]")
        elif deployment.gate.final:
            st.markdown(":small[:gray[Nothing was proven of it yet.]]")
        if told := _override(deployment, share):
            st.markdown(told)
        if deployment.gate.final and not deployment.proven:
            _how_to_override(deployment)


def _override(deployment: Deployment, share: int) -> str:
    """Whether requests reach it without a passed gate, and who let them."""
    who = literal(deployment.forced_by)
    proven = deployment.proven
    if share and not proven:
        by = f"**{who}** gave it requests by name" if who else "its requests were given before this gate"
        return f":red[:material/gpp_bad:] It answers {share} % of requests without a passed gate: {by}."
    if who:
        since = "; its gate has passed since" if proven else "; it has none now"
        return f":gray[:material/history: **{who}** once gave it requests without a passed gate{since}.]"
    return "" if proven or not deployment.gate.final else ":red[:material/block:] It gets no requests."


def _how_to_override(deployment: Deployment) -> None:
    with st.expander("How to override the gate", icon=":material/front_hand:"):
        st.markdown(
            "Without a passed gate the workspace refuses to give a deployment requests. Somebody who answers for it "
            "may override that under a name, which is kept and stands here: on the Deploy page under Details, or"
        )
        st.code(
            f'python -m core endpoint traffic {deployment.endpoint} {deployment.name}=100 --force-by "YOUR NAME"',
            language="bash",
            wrap_lines=True,
        )
        navigation.link("Deploy", "Its traffic on the Deploy page", endpoint=deployment.endpoint, use="Details")


# A gate as it runs


def _progress(workspace: Workspace, seen: Gates, job: Job) -> None:
    """How far a gate is, part by part, what it has just judged, and what it has found."""
    expected = _expected(seen)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{literal(jobs.about(job))}**", width="content")
            with st.container(horizontal=True, width="content", vertical_alignment="center"):
                notices.badge(words.state(job.state), "Stopping" if job.cancel_requested else "")
                if st.button("Stop", key="quality.stop", icon=":material/stop_circle:"):
                    actions.run("Stopping", workspace.cancel_job, job.id)
        total, done = sum(expected.values()), len(seen.judged)
        told = f"{done} of about {total} checks" if total else words.plural(done, "check")
        st.progress(
            min(1.0, done / total) if total else 0.0, text=f"{told} · {words.lasting(jobs.elapsed(job, seen.now))}"
        )
        with st.container(horizontal=True, gap="small"):
            for part, word in parts_now(seen.judged, expected, started=job.state is JobState.RUNNING).items():
                landed = sum(c.part == part for c in seen.judged)
                notices.badge(word, f"{reports.title(part)} {landed or ''}".strip())
        violated = [c for c in seen.judged if c.passed is False]
        for check in (*violated, *(c for c in seen.judged[-LATEST:] if c not in violated)):
            reports.line(check)


def _expected(seen: Gates) -> Mapping[str, int]:
    """Checks by part in the newest whole report: about what a gate that runs now will judge."""
    whole = (r.checks for r in seen.reports if {"parity", "performance"} <= {c.part for c in r.checks})
    checks = next(whole, ())
    return {part: sum(c.part == part for c in checks) for part in reports.parts_of(checks)}


def parts_now(judged: Sequence[CheckResult], expected: Mapping[str, int], *, started: bool) -> dict[str, Word]:
    """Each part's state in a gate that runs: how it came out, that it runs, or that it waits.

    A part is over when a later one has begun, or when it has as many checks as last time.
    """
    order = list(reports.PARTS)
    reached = max((order.index(c.part) for c in judged if c.part in order), default=-1)
    states: dict[str, Word] = {}
    running_is_free = started
    for number, part in enumerate(order):
        landed = [c for c in judged if c.part == part]
        over = number < reached or (bool(landed) and len(landed) >= expected.get(part, 1))
        if any(c.passed is False for c in landed) or over:
            states[part] = reports.worst(landed) if landed else reports.OUTCOMES["gray"]
            running_is_free = running_is_free and over
        else:
            states[part] = RUNNING if running_is_free else WAITING
            running_is_free = False
    return states
