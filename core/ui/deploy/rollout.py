"""An endpoint in one line: its state, who answers, its address; below it, only what needs attention or moves."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.domain.endpoint import Deployment, Endpoint, EndpointState, GateState
from core.domain.errors import JobNotFound
from core.domain.job import Job, LogLine
from core.domain.proof import GateProgress
from core.ui.deploy import shares
from core.ui.kit import endpoints, gates, logs, notices, words
from core.ui.kit.endpoints import Served
from core.ui.shell import failures, navigation
from core.ui.shell.live import FAST_S
from core.ui.shell.markup import literal
from core.ui.shell.state import Rise, state
from core.workspace import Workspace

CHECKS_SHOWN = 1
RISEN_S = 300.0
"""So long the page says that an endpoint has just gone live."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """An endpoint with what answers, the gate that runs, and why it failed where it did."""

    endpoint: Endpoint
    live: tuple[Served, ...]
    gate: Job | None
    judged: GateProgress
    expected: Mapping[str, int]
    server_log: tuple[LogLine, ...]
    now: float


def look(workspace: Workspace, endpoint: Endpoint) -> Rollout:
    """What there is to tell of an endpoint as it is now."""
    gate, can = _gate(workspace, endpoint), workspace.can
    failed = endpoint.state is EndpointState.FAILED
    return Rollout(
        endpoint=endpoint,
        live=endpoints.served(workspace, endpoint),
        gate=gate,
        judged=workspace.proofs.gate_progress(gate.id) if gate and can("proofs.gate_progress") else GateProgress(),
        expected=gates.expected(workspace.proofs.gate_reports(limit=10)) if gate and can("proofs.gate_reports") else {},
        server_log=workspace.endpoints.logs(endpoint.name, limit=12) if failed and can("endpoints.logs") else (),
        now=time.time(),
    )


def _gate(workspace: Workspace, endpoint: Endpoint) -> Job | None:
    """The job of the gate that is queued or runs for the newest such deployment."""
    proving = [d for d in endpoint.deployments if not d.gate.final and d.gate_job_id]
    if not proving or not workspace.can("jobs.get"):
        return None
    try:
        job = workspace.jobs.get(proving[-1].gate_job_id)
    except JobNotFound:
        return None
    return None if job.state.final else job


def pace(rollout: Rollout) -> float | None:
    """Often until endpoint, deployments, gates and traffic are settled, then never."""
    return FAST_S if endpoints.moving(rollout.endpoint) else None


def draw(workspace: Workspace, rollout: Rollout) -> None:
    """The line, the moment when it goes live, the gate that runs, and what has failed."""
    notices.twin(next((s.data for s in rollout.live), None))
    _line(rollout)
    _rise(rollout)
    endpoint = rollout.endpoint
    if endpoint.state is EndpointState.FAILED:
        failures.say(f"The server does not answer: {endpoint.error}")
        logs.show(rollout.server_log, rollout.now)
    for deployment in endpoint.deployments:
        _deployment(rollout, deployment)


def _line(rollout: Rollout) -> None:
    endpoint = rollout.endpoint
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="deploy-line"):
        st.markdown(f"**{endpoint.name}**", width="content")
        notices.badge(endpoints.standing(endpoint))
        if answer := shares.told({s.deployment.name: s.traffic for s in rollout.live}):
            st.markdown(f":gray[Answers:] {answer}", width="content")
        st.code(endpoint.scoring_uri, language=None, width=330)
        with st.popover("About", icon=":material/info:"):
            st.markdown(endpoints.verdict(endpoint, rollout.live, rollout.now))
            for served in rollout.live:
                st.caption(endpoints.sentence(served, len(rollout.live) > 1))
            navigation.link("Monitor", "Watch it", endpoint=endpoint.name)
            navigation.link("Quality", "See the proof", endpoint=endpoint.name)


def _rise(rollout: Rollout) -> None:
    """One clear moment: what this visitor has seen being proven is live."""
    endpoint, newest = rollout.endpoint, endpoints.newest(rollout.endpoint)
    if newest is None:
        return
    share = endpoint.traffic.get(newest.name, 0)
    rise = state.rise
    known = rise is not None and (rise.endpoint, rise.deployment) == (endpoint.name, newest.name)
    if not share and not newest.gate.final:
        state.rise = Rise(endpoint.name, newest.name)
    elif known and rise is not None and rise.live_at is None and share and not endpoints.moving(endpoint):
        state.rise = rise = Rise(endpoint.name, newest.name, rollout.now)
        st.toast(f"{endpoint.name} is live", icon=":material/rocket_launch:")
    if known and rise is not None and rise.live_at is not None and share and rollout.now - rise.live_at < RISEN_S:
        st.success(
            f"**{endpoint.name} is live:** {newest.name} has passed its gate and answers {share} % of requests since "
            f"{words.moment(rise.live_at, rollout.now)}.",
            icon=":material/rocket_launch:",
        )


def _deployment(rollout: Rollout, deployment: Deployment) -> None:
    """Its gate while that runs, and why it gets no requests where it failed."""
    if not deployment.gate.final:
        _proving(rollout, deployment)
    elif deployment.error:
        failures.say(f"{deployment.name} does not load: {deployment.error}")
    elif deployment.gate is GateState.FAILED:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":red[:material/gpp_bad: The gate of {deployment.name} failed.]", width="content")
            navigation.link("Quality", "See which checks failed", endpoint=deployment.endpoint)


def _proving(rollout: Rollout, deployment: Deployment) -> None:
    word = words.state(deployment.gate)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{deployment.name}** :gray[{literal(deployment.model)}:{deployment.model_version}]", width="content"
            )
            notices.badge(word)
            if not deployment.state.final:
                notices.badge(words.state(deployment.state), "Server starting")
        if rollout.gate is not None and rollout.gate.id == deployment.gate_job_id:
            gates.progress(rollout.gate, rollout.judged, rollout.expected, rollout.now, latest=CHECKS_SHOWN)
