"""The Load test tab: presets, custom loads and sweeps, watched live, then kept and compared."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from core.domain.endpoint import Endpoint
from core.domain.job import Job, JobKind, JobState
from core.domain.proof import LoadReport, LoadSpec, Target
from core.domain.sweep import SWEEP, Sweep, sweeps
from core.ui.kit import charts, notices, percentiles, tables, words
from core.ui.shell import actions, choices, failures
from core.ui.shell.abilities import able
from core.ui.shell.live import FAST_S, live
from core.ui.shell.markup import literal
from core.ui.shell.state import state
from core.workspace import Workspace

SHOWN = 50
COMPARED_MAX = 3
COMPARED = "loads.compare"
"""The key of the loads to compare, which Streamlit forgets when another tab is drawn."""
TABLE = "loads.table"
OPENED = "slipway.loads.opened"
"""The load that a row or the address opened last."""
MEASURED = (
    "Latencies are the client's, at the stated number of connections: they include the network and the wait for the "
    "server. Monitor shows the time in the server."
)
CLIENTS = (1, 2, 5, 10, 20, 50)
"""Of a sweep."""
OWN = "Custom load"
SWEEPING = f"{SWEEP}, 1 to 50 clients"
PRESETS = {
    "10 requests, one client": LoadSpec(Target(""), 60, 1, max_requests=10, warmup_s=0),
    "1,000 requests, one client": LoadSpec(Target(""), 60, 1, max_requests=1000),
    SWEEPING: LoadSpec(Target(""), 3),
}
BY_AB = {
    "Apache Benchmark: 10 requests": LoadSpec(Target(""), 60, 1, max_requests=10, tool="ab"),
    "Apache Benchmark: 1,000 requests, 10 clients": LoadSpec(Target(""), 60, 10, max_requests=1000, tool="ab"),
}


@dataclass(frozen=True, slots=True)
class Loads:
    """The load that runs, what it has met, and what earlier ones met."""

    job: Job | None
    waiting: int
    failed: Job | None
    """The newest load, where it came to nothing."""
    progress: LoadReport | None
    reports: tuple[LoadReport, ...]
    now: float


def show(workspace: Workspace, endpoint: Endpoint) -> None:
    """Ask for a load, watch it, compare it with earlier ones."""
    _form(workspace, endpoint)
    live(
        lambda: _look(workspace, endpoint),
        lambda seen: FAST_S if seen.job else None,
        lambda seen: _draw(workspace, seen),
    )


def _form(workspace: Workspace, endpoint: Endpoint) -> None:
    if not endpoint.live:
        st.info("**No load test yet:** no deployment has traffic.", icon=":material/speed:")
        return
    target = Target(endpoint.scoring_uri.removesuffix("/score"))
    presets = PRESETS | (BY_AB if shutil.which("ab") else {})
    choice = st.selectbox("Load", [*presets, OWN], key="loads.preset")
    spec = presets.get(choice) or _own()
    if st.button("Run", type="primary", icon=":material/speed:", key="loads.run", **able("jobs.submit")):
        specs = [replace(spec, concurrency=n) for n in CLIENTS] if choice == SWEEPING else [spec]
        named = [replace(s, target=target, label=choice.rsplit(", ", 1)[0]) for s in specs]
        actions.apply("Queueing", _submit, workspace, named)


def _submit(workspace: Workspace, specs: Sequence[LoadSpec]) -> tuple[Job, ...]:
    return tuple(workspace.jobs.submit(spec) for spec in specs)


def _own() -> LoadSpec:
    columns = st.columns(5)
    opened = (
        columns[0].selectbox("Send", ["after each answer", "at a fixed rate"], key="loads.loop") == "at a fixed rate"
    )
    rate = columns[1].number_input("Requests/s", 1, 20_000, 100, key="loads.rate", disabled=not opened)
    clients = columns[2].number_input("Connections", 1, 1000, 10, key="loads.clients")
    rows = columns[3].number_input("Rows per request", 1, 1000, 2, key="loads.rows")
    seconds = columns[4].number_input("Seconds", 1, 600, 10, key="loads.seconds")
    fresh = st.checkbox("New connection for every request", key="loads.fresh")
    return LoadSpec(
        Target(""), float(seconds), int(clients), int(rows), rate_per_s=float(rate) * opened, fresh_connections=fresh
    )


def _look(workspace: Workspace, endpoint: Endpoint) -> Loads:
    ours = workspace.jobs.list(JobKind.LOADTEST, limit=200, endpoint=endpoint.name)
    jobs = [job for job in ours if not job.state.final]
    running = min(jobs, key=lambda job: job.created_at, default=None)
    failed = next((job for job in ours[:1] if job.state is JobState.FAILED), None)
    progress = workspace.proofs.load_progress(running.id) if running and workspace.can("proofs.load_progress") else None
    reports = workspace.proofs.load_reports(endpoint.name, SHOWN)
    return Loads(running, max(0, len(jobs) - 1), failed, progress, reports, time.time())


def _draw(workspace: Workspace, seen: Loads) -> None:
    if seen.job is not None:
        more = f" {words.plural(seen.waiting, 'more load test')} queued." if seen.waiting else ""
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":blue[:material/progress_activity:] **Load test running.**{more}", width="content")
            if st.button("Stop", key=f"loads.stop.{seen.job.id}", icon=":material/stop_circle:", **able("jobs.cancel")):
                actions.run("Stopping", workspace.jobs.cancel, seen.job.id)
        if seen.progress is not None:
            _report(seen.progress, "running")
    elif seen.failed is not None:
        failures.say(seen.failed.message, seen.failed.hint)
    if not seen.reports:
        if seen.job is None:
            st.caption("No load test has run on this endpoint yet.")
        return
    st.subheader("Load test results", anchor=False)
    st.caption(MEASURED)
    if found := sweeps(seen.reports):
        _sweep(found[0], seen.now)
    chosen = _chosen(seen.reports, seen.now)
    if len(chosen) == 1:
        _report(chosen[0], "one")
    elif chosen:
        _compared(chosen)
    _table(seen.reports, seen.now)


def _chosen(reports: Sequence[LoadReport], now: float) -> list[LoadReport]:
    """What is compared: the load that was opened by a row or the address, the newest one that came, or any."""
    by_id = {report.id: report for report in reports}
    opened = choices.opened("load test", by_id, key="load")
    newest = state.newest_load != reports[0].id
    if opened and opened != st.session_state.get(OPENED):
        st.session_state[COMPARED] = [opened]
    elif newest or not set(st.session_state.get(COMPARED, ("",))) <= set(by_id):
        st.session_state[COMPARED] = [reports[0].id]
    st.session_state[OPENED], state.newest_load = opened, reports[0].id
    names = {r.id: f"{_name(r)} · {words.moment(r.created_at, now)} · {r.id[-4:]}" for r in reports}
    picked = st.multiselect(
        "Compare", list(names), max_selections=COMPARED_MAX, key=COMPARED, format_func=names.__getitem__
    )
    return [by_id[each] for each in picked]


def _sweep(sweep: Sweep, now: float) -> None:
    """Throughput and latency against clients, with the knee and the loads that failed."""
    with st.container(border=True):
        st.markdown(f"**{SWEEP}** :gray[{words.moment(sweep.loads[-1].created_at, now)}]")
        st.markdown(sweep_sentence(sweep))
        left, right = st.columns(2)
        with left:
            charts.show(charts.sweep_throughput(sweep), key="loads.sweep.rate", alt="Throughput by number of clients")
        with right:
            charts.show(charts.sweep_latency(sweep), key="loads.sweep.latency", alt="Latency by number of clients")


def sweep_sentence(sweep: Sweep) -> str:
    """Where more clients stop to pay, and where requests failed."""
    told = []
    if sweep.knee is not None:
        highest = max(load.requests_per_s for load in sweep.loads)
        told.append(
            f"Knee at {words.plural(sweep.knee.concurrency, 'client')}: {words.count(sweep.knee.requests_per_s)} "
            f"requests/s, at least 90 % of the highest throughput ({words.count(highest)})."
        )
    elif sweep.rising:
        last = sweep.loads[-1]
        told.append(
            f"No knee yet: throughput still rises at {words.plural(last.concurrency, 'client')}, "
            f"{words.count(last.requests_per_s)} requests/s."
        )
    if sweep.failed:
        at = ", ".join(str(load.concurrency) for load in sweep.failed)
        told.append(f":red[Requests failed at {at} clients.]")
    if any(load.client_bound for load in sweep.loads):
        told.append("The load client was the bottleneck in some of them, so the endpoint may reach more.")
    return " ".join(told) or f"{words.plural(len(sweep.loads), 'load test')} so far."


def _name(report: LoadReport) -> str:
    loop = f"{report.rate_per_s:g}/s" if report.rate_per_s else words.plural(report.concurrency, "client")
    return f"{report.label or 'Load'}, {loop}"


def _report(report: LoadReport, key: str) -> None:
    """One load: figures, how latencies are spread, how it went second by second, what failed."""
    _figures(report)
    if report.client_bound:
        ceiling = f" The client alone reaches {words.count(report.ceiling_requests_per_s)} requests/s."
        notices.warn(
            "The load client on this machine was the bottleneck, or close to it: the endpoint may be faster than this."
            + (ceiling if report.ceiling_requests_per_s else "")
        )
    if report.output:
        st.caption("Output of Apache Benchmark:")
        st.code(report.output, language=None, height=320)
    left, right = st.columns(2)
    with left:
        if report.histogram:
            charts.show(charts.load_histogram([report]), key=f"loads.histogram.{key}", alt="Requests by latency")
    with right:
        if len(report.seconds) > 1:
            charts.show(charts.load_seconds(report), key=f"loads.seconds.{key}", alt="Requests/s over time")
    causes = {f"status {s}": n for s, n in report.by_status.items() if s not in (0, 200)} | dict(report.errors)
    if report.put_off:
        st.caption(
            f"The busy endpoint answered {words.plural(report.put_off, 'time')} “retry later”, and the client did."
        )
    if causes:
        st.markdown(
            ":red[Failed:] "
            + ", ".join(f"{literal(cause)} ({words.plural(count, 'request')})" for cause, count in causes.items())
        )


def _figures(report: LoadReport) -> None:
    figures = st.columns(5)
    answered = report.requests - report.failed
    at = words.plural(report.concurrency, "connection")
    figures[0].metric("Requests/s", words.count(report.requests_per_s))
    figures[1].metric("Client p50", words.milliseconds(report.p50_ms if answered else None), help=f"At {at}.")
    figures[2].metric(
        "Client p99",
        percentiles.p99(report.p99_ms, answered),
        help=f"At {at}.{percentiles.why_none(answered)}",
    )
    figures[3].metric("Longest", words.milliseconds(report.max_ms if answered else None))
    figures[4].metric("Failed", f"{report.failed:,} of {report.requests:,}")


def _compared(reports: Sequence[LoadReport]) -> None:
    reports = [report for report in reports if report.histogram]
    if not reports:
        return
    charts.show(charts.load_histogram(reports, [_name(r) for r in reports]), key="loads.compared", alt="Loads compared")


def _table(reports: Sequence[LoadReport], now: float) -> None:
    st.caption("Click a row to open its report. Latencies are the client's.")
    st.dataframe(
        {
            "At": [words.moment(r.created_at, now) for r in reports],
            "Load": [_name(r) for r in reports],
            "Requests/s": [round(r.requests_per_s, 1) for r in reports],
            "p50": [words.milliseconds(r.p50_ms if r.requests > r.failed else None) for r in reports],
            "p99": [percentiles.p99(r.p99_ms, r.requests - r.failed) for r in reports],
            "Longest": [words.milliseconds(r.max_ms if r.requests > r.failed else None) for r in reports],
            "Failed": [f"{r.failed:,} of {r.requests:,}" for r in reports],
        },
        hide_index=True,
        key=TABLE,
        on_select=lambda: _open(reports),
        selection_mode=tables.BY_ROW,
    )


def _open(reports: Sequence[LoadReport]) -> None:
    """Show the report whose row was clicked."""
    row = tables.clicked(st.session_state[TABLE].selection)
    if row is not None and row < len(reports):
        choices.put("load", reports[row].id)
