"""The Load test tab: presets and own loads, watched live, then kept and compared."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from core.domain.endpoint import Endpoint
from core.domain.job import Job, JobKind, JobState
from core.domain.proof import LoadReport, LoadSpec, Target
from core.ui.kit import charts, notices, words
from core.ui.shell import actions, failures
from core.ui.shell.abilities import able
from core.ui.shell.live import FAST_S, live
from core.ui.shell.state import state
from core.workspace import Workspace

SHOWN = 20
COMPARED_MAX = 3
COMPARED = "loads.compare"
"""The key of the loads to compare, which Streamlit forgets when another tab is drawn."""
SWEEP = (1, 2, 5, 10, 20, 50)
OWN = "A load of your own"
SWEEPING = "Concurrency sweep, 1 to 50 clients"
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
        st.info("**Nothing to load yet:** no deployment has traffic.", icon=":material/speed:")
        return
    target = Target(endpoint.scoring_uri.removesuffix("/score"))
    presets = PRESETS | (BY_AB if shutil.which("ab") else {})
    choice = st.selectbox("Load", [*presets, OWN], key="loads.preset")
    spec = presets.get(choice) or _own()
    if st.button("Run it", type="primary", icon=":material/speed:", key="loads.run", **able("jobs.submit")):
        specs = [replace(spec, concurrency=n) for n in SWEEP] if choice == SWEEPING else [spec]
        named = [replace(s, target=target, label=choice.rsplit(", ", 1)[0]) for s in specs]
        actions.apply("Queueing", _submit, workspace, named)


def _submit(workspace: Workspace, specs: Sequence[LoadSpec]) -> tuple[Job, ...]:
    return tuple(workspace.jobs.submit(spec) for spec in specs)


def _own() -> LoadSpec:
    columns = st.columns(5)
    opened = columns[0].selectbox("Sends", ["when answered", "at a fixed rate"], key="loads.loop") == "at a fixed rate"
    rate = columns[1].number_input("Requests/s", 1, 20_000, 100, key="loads.rate", disabled=not opened)
    clients = columns[2].number_input("Connections", 1, 1000, 10, key="loads.clients")
    rows = columns[3].number_input("Rows each", 1, 1000, 2, key="loads.rows")
    seconds = columns[4].number_input("Seconds", 1, 600, 10, key="loads.seconds")
    fresh = st.checkbox("A new connection for every request", key="loads.fresh")
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
        more = f" Still to run: {seen.waiting}." if seen.waiting else ""
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":blue[:material/progress_activity:] **Loading the endpoint.**{more}", width="content")
            if st.button("Stop", key="loads.stop", icon=":material/stop_circle:", **able("jobs.cancel")):
                actions.run("Stopping", workspace.jobs.cancel, seen.job.id)
        if seen.progress is not None:
            _report(seen.progress, "running")
    elif seen.failed is not None:
        failures.say(seen.failed.message, seen.failed.hint)
    if not seen.reports:
        if seen.job is None:
            st.caption("No load was run on this endpoint yet.")
        return
    st.subheader("What loads have met", anchor=False)
    names = {f"{_name(r)} · {words.moment(r.created_at, seen.now)} · {r.id[-4:]}": r for r in seen.reports}
    if COMPARED not in st.session_state or state.newest_load != seen.reports[0].id:
        state.newest_load = seen.reports[0].id
        st.session_state[COMPARED] = list(names)[:1]
    picked = st.multiselect("Compare", list(names), max_selections=COMPARED_MAX, key=COMPARED)
    chosen = [names[name] for name in picked]
    if len(chosen) == 1:
        _report(chosen[0], "one")
    elif chosen:
        _compared(chosen)
    _table(seen.reports, seen.now)


def _name(report: LoadReport) -> str:
    loop = f"{report.rate_per_s:g}/s" if report.rate_per_s else words.plural(report.concurrency, "client")
    return f"{report.label or 'Load'}, {loop}"


def _report(report: LoadReport, key: str) -> None:
    """One load: figures, how latencies are spread, how it went second by second, what failed."""
    _figures(report)
    if report.client_bound:
        ceiling = f" It reaches {words.count(report.ceiling_requests_per_s)} requests/s at best."
        notices.warn(
            "This machine's load client was the bottleneck, or near it: the endpoint may do better than this."
            + (ceiling if report.ceiling_requests_per_s else "")
        )
    if report.output:
        st.caption("What Apache Benchmark printed:")
        st.code(report.output, language=None, height=320)
    left, right = st.columns(2)
    with left:
        if report.histogram:
            charts.show(charts.load_histogram([report]), key=f"loads.histogram.{key}", alt="Requests by latency")
    with right:
        if len(report.seconds) > 1:
            charts.show(charts.load_seconds(report), key=f"loads.seconds.{key}", alt="Requests/s over time")
    causes = {f"answered {s}": n for s, n in report.by_status.items() if s not in (0, 200)} | dict(report.errors)
    if report.put_off:
        st.caption(f"The endpoint was busy and asked {report.put_off:,} times to come later, which was done.")
    if causes:
        st.markdown(":red[Failed:] " + ", ".join(f"{cause} {count:,} times" for cause, count in causes.items()))


def _figures(report: LoadReport) -> None:
    figures = st.columns(5)
    figures[0].metric("Requests/s", words.count(report.requests_per_s))
    answered = report.requests > report.failed
    for place, (name, value) in zip(
        figures[1:4], {"p50": report.p50_ms, "p99": report.p99_ms, "Longest": report.max_ms}.items(), strict=True
    ):
        place.metric(name, words.milliseconds(value if answered else None))
    figures[4].metric("Failed", f"{report.failed:,} of {report.requests:,}")


def _compared(reports: Sequence[LoadReport]) -> None:
    reports = [report for report in reports if report.histogram]
    if not reports:
        return
    charts.show(charts.load_histogram(reports, [_name(r) for r in reports]), key="loads.compared", alt="Loads compared")


def _table(reports: Sequence[LoadReport], now: float) -> None:
    st.dataframe(
        {
            "At": [words.moment(r.created_at, now) for r in reports],
            "Load": [_name(r) for r in reports],
            "Requests/s": [round(r.requests_per_s, 1) for r in reports],
            "p50 ms": [round(r.p50_ms, 2) for r in reports],
            "p90 ms": [round(r.p90_ms, 2) for r in reports],
            "p99 ms": [round(r.p99_ms, 2) for r in reports],
            "p99.9 ms": [round(r.p999_ms, 2) for r in reports],
            "Failed": [f"{r.failed:,} of {r.requests:,}" for r in reports],
        },
        hide_index=True,
        key="loads.table",
    )
