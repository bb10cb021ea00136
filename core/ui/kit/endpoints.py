"""Endpoints for people: what answers, what it was trained on, what was proven of it."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from core.domain.data import DataAsset, DataSource
from core.domain.endpoint import Deployment, DeploymentState, Endpoint, EndpointState
from core.domain.model import Model
from core.domain.monitoring import TelemetrySummary
from core.domain.proof import GateReport
from core.ui.kit import notices, percentiles, words
from core.ui.kit.words import Word
from core.ui.shell import cached, choices, navigation
from core.ui.shell.markup import literal
from core.workspace import Workspace

HOUR_S, HOUR_BUCKETS = 3600.0, 30
NOTHING = math.nan
"""In a row of bars: none, where there is no figure."""
WHY_UNKNOWN = {"off": "records were off", "down": "the server was down", "unknown": "nobody looked"}
"""Why an interval is not told of, but for one before there was anything."""
WAYS = (("Deploy", "Try it"), ("Monitor", "Watch it"), ("Quality", "See the proof"))

RESTING = {
    EndpointState.STOPPED: "**Stopped:** it answers again when the service runs.",
    EndpointState.CREATING: "**Being created:** its server has not started yet.",
    EndpointState.STARTING: "**Starting:** its server is not up yet.",
    EndpointState.DELETING: "**Being deleted.**",
}
"""What to say of an endpoint that nobody can call now."""


@dataclass(frozen=True, slots=True)
class Served:
    """A deployment with its model, the data behind it, and its newest gate report."""

    deployment: Deployment
    model: Model
    data: DataAsset | None
    """None where the model came as a folder, and its data is elsewhere."""
    traffic: int
    report: GateReport | None


def served(workspace: Workspace, endpoint: Endpoint) -> tuple[Served, ...]:
    """The live deployments of an endpoint, most traffic first."""
    live = sorted(endpoint.live, key=lambda d: -endpoint.traffic[d.name])
    return tuple(_served(workspace, endpoint, deployment) for deployment in live)


def _served(workspace: Workspace, endpoint: Endpoint, deployment: Deployment) -> Served:
    model = cached.model(deployment.model, deployment.model_version)
    can = workspace.can("proofs.gate_reports")
    reports = workspace.proofs.gate_reports(endpoint.name, deployment.name, limit=1) if can else ()
    traffic = endpoint.traffic.get(deployment.name, 0)
    return Served(deployment, model, cached.data_of(model), traffic, next(iter(reports), None))


def last_hour(workspace: Workspace, name: str) -> TelemetrySummary | None:
    """What an endpoint was asked in the last hour; None where the workspace keeps no such record."""
    return cached.telemetry(name, HOUR_S, HOUR_BUCKETS) if workspace.can("records.telemetry") else None


def newest(endpoint: Endpoint) -> Deployment | None:
    """The deployment that was made last."""
    return max(endpoint.deployments, key=lambda d: d.created_at, default=None)


def moving(endpoint: Endpoint) -> bool:
    """True while an endpoint, a deployment or a gate of it is on its way to a final state."""
    final = endpoint.state.final and all(d.state.final and d.gate.final for d in endpoint.deployments)
    taking_up = endpoint.state is EndpointState.READY and bool(endpoint.live) and not endpoint.settled
    return taking_up or not final


def standing(endpoint: Endpoint) -> Word:
    """Where an endpoint stands, in a few words; while it is on its way the words change once for each step."""
    if endpoint.state not in (EndpointState.READY, EndpointState.DEGRADED):
        return words.state(endpoint.state)
    if not endpoint.live:
        last = newest(endpoint)
        proving = last is not None and not last.gate.final
        return words.state(last.gate) if last and proving else Word("No traffic", "gray", "cloud_off")
    if endpoint.state is EndpointState.DEGRADED:
        return words.state(endpoint.state)
    if not all(d.proven for d in endpoint.live):
        return Word("Live, not proven", "orange", "gpp_maybe")
    if not endpoint.settled:
        return Word("Applying the change", "blue", "progress_activity")
    return Word("Live and proven", "green", "verified")


def trusted(endpoint: Endpoint) -> bool:
    """True when it answers, and only by deployments whose gate passed."""
    return endpoint.state is EndpointState.READY and bool(endpoint.live) and all(d.proven for d in endpoint.live)


def verdict(endpoint: Endpoint, live: Sequence[Served], now: float) -> str:
    """One sentence: whether this endpoint can be trusted, and why."""
    if endpoint.error:
        return f"**Not answering:** {literal(endpoint.error)}"
    if endpoint.state in RESTING:
        return RESTING[endpoint.state]
    if not live:
        return "**Not live:** no deployment has traffic."
    if forced := [s.deployment for s in live if s.deployment.forced_by and not s.deployment.proven]:
        who = literal(forced[0].forced_by)
        return f"**Live, not proven:** {who} gave {forced[0].name} traffic without a passed gate."
    report = live[0].report
    if not trusted(endpoint) or report is None:
        return f"**Live, not proven:** {words.state(live[0].deployment.gate).label.lower()}."
    passed = sum(c.passed is True for c in report.checks)
    return f"**Live and proven:** {words.plural(passed, 'check')} passed {words.ago(report.created_at, now)}."


def badges(endpoint: Endpoint) -> None:
    """The endpoint's state, and the gate of what answers."""
    with st.container(horizontal=True, width="content", gap="xsmall"):
        word = words.state(endpoint.state)
        notices.badge(word)
        gated = endpoint.live[0] if endpoint.live else newest(endpoint)
        if gated is not None:
            word = words.state(gated.gate)
            notices.badge(word)


def card(
    endpoint: Endpoint, live: Sequence[Served], hour: TelemetrySummary | None, now: float, *, here: str = ""
) -> None:
    """One endpoint at a glance, with the ways to try it, watch it and see its proof, save the page `here`."""
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"### {endpoint.name}", width="content")
            badges(endpoint)
        st.markdown(verdict(endpoint, live, now))
        if live:
            st.caption(" ".join(sentence(s, len(live) > 1) for s in live))
            _figures(live, hour)
            if hour is not None:
                st.caption(
                    "Clients' requests only, latency measured by the server; load tests, batches and shadows are "
                    f"not counted.{_gaps(hour)}"
                )
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f":gray[:material/link:] `{endpoint.scoring_uri}`", width="content")
            with st.container(horizontal=True, width="content"):
                for title, label in WAYS:
                    if title != here:
                        navigation.link(title, label, endpoint=endpoint.name)


def sentence(item: Served, with_share: bool = False) -> str:
    """What answers, in a sentence (Markdown); with its share of the traffic where several answer."""
    share = f"{item.traffic} % of requests, " if with_share else ""
    signature = item.model.signature
    classes = " or ".join(str(c) for c in signature.classes) if len(signature.classes) < 4 else "a class"
    return (
        f"Predicts {literal(signature.target)} ({literal(classes)}) by "
        f"{literal(words.algorithm(item.model.algorithm))}: {share}"
        f"model {literal(item.model.name)} version {item.model.version}, {literal(_learned_from(item))}."
    )


def _learned_from(item: Served) -> str:
    if item.data is None:
        return f"imported, trained elsewhere on {words.asset(item.model.data)}"
    source = words.SOURCES[item.data.source].lower()
    return f"trained on {words.asset(item.data.ref)} ({source}, {words.count(item.data.rows)} rows)"


def _figures(live: Sequence[Served], hour: TelemetrySummary | None) -> None:
    columns = st.columns(4 if hour else 2)
    top = live[0]
    of_twin = " of the twin" if top.data is not None and top.data.source is DataSource.TWIN else ""
    columns[0].metric(
        f"AUC{of_twin}",
        words.score(top.model.metrics.get("AUC_weighted")),
        help="Area under the ROC curve, weighted, on rows that the model had not seen (cross-validation). "
        "0.5 is guessing, 1 is perfect.",
    )
    traffic = sum(s.traffic for s in live)
    columns[1].metric("Traffic", f"{traffic} %", help="The share of normal requests that deployments answer.")
    if hour is None:
        return
    columns[2].metric(
        "Requests, last hour",
        words.count(hour.requests),
        delta=words.plural(hour.rows, "row") if hour.requests else None,
        delta_arrow="off",
        delta_color="primary",
        chart_data=[NOTHING if b is None else b.requests for b in hour.known] if hour.requests else None,
        chart_type="bar",
    )
    columns[3].metric(
        "Latency p99, last hour",
        percentiles.p99(hour.p99_ms, hour.requests),
        delta=f"p50 {words.milliseconds(hour.p50_ms)}" if hour.requests else None,
        delta_arrow="off",
        delta_color="primary",
        chart_data=[NOTHING if b is None or b.p99_ms is None else b.p99_ms for b in hour.known]
        if hour.requests
        else None,
        chart_type="bar",
        help="99 of 100 clients' requests were answered within this time, from the server's reading of the request to "
        "its answer. A load test measures at the client instead, with many connections at once, and counts there."
        f"{percentiles.why_none(hour.requests)}",
    )


def _gaps(hour: TelemetrySummary) -> str:
    """How much of the hour nothing is known of, and why; a bar that is missing does not tell that."""
    lasted: Counter[str] = Counter()
    for bucket, known in zip(hour.buckets, hour.known, strict=True):
        if known is None and bucket.gap in WHY_UNKNOWN:
            lasted[bucket.gap] += round(bucket.width_s)
    told = (f"{words.lasting(seconds)} ({WHY_UNKNOWN[why]})" for why, seconds in lasted.items())
    return f" Not known: {', '.join(told)}." if lasted else ""


def choose(known: Sequence[Endpoint]) -> Endpoint:
    """The endpoint that the visitor (or the address) chooses; the choice goes along from page to page."""
    by_name = {endpoint.name: endpoint for endpoint in known}
    return by_name[choices.choose("Endpoint", {name: name for name in by_name}, key="endpoint")]


def from_now_on(workspace: Workspace, listed: Endpoint) -> Callable[[], Endpoint]:
    """An endpoint as the page has just listed it, and from the second look on as it is then.

    What asks a distant workspace again for what it has just told takes the visitor a second a click.
    """
    told = [listed]
    return lambda: told.pop() if told else workspace.endpoints.get(listed.name)


def answering(endpoint: Endpoint) -> Deployment | None:
    """The deployment with most traffic, else the newest one that is ready, else the newest one on its way."""
    live = sorted(endpoint.live, key=lambda d: -endpoint.traffic[d.name])
    others = sorted(endpoint.deployments, key=lambda d: (d.state is not DeploymentState.READY, -d.created_at))
    return next(iter((*live, *others)), None)


def answering_model(endpoint: Endpoint) -> Model | None:
    """The model of the deployment that answers, or will."""
    first = answering(endpoint)
    return None if first is None else cached.model(first.model, first.model_version)


def data_behind(endpoint: Endpoint) -> DataAsset | None:
    """The data that the answering model was trained on."""
    model = answering_model(endpoint)
    return None if model is None else cached.data_of(model)
