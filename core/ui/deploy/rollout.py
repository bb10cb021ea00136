"""An endpoint as it comes up: what answers, what is being proven, and why it failed where it did."""

import time
from dataclasses import dataclass

import streamlit as st

from core.domain.endpoint import (
    Deployment,
    DeploymentState,
    Endpoint,
    EndpointState,
    GateState,
)
from core.domain.job import LogLine
from core.domain.monitoring import TelemetrySummary
from core.ui.kit import endpoints, logs, notices, words
from core.ui.kit.endpoints import Served
from core.ui.shell import failures, navigation
from core.ui.shell.live import FAST_S
from core.ui.shell.markup import literal
from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Rollout:
    """An endpoint with what answers, what is being proven, and why it failed where it did."""

    endpoint: Endpoint
    live: tuple[Served, ...]
    hour: TelemetrySummary | None
    gate_log: tuple[LogLine, ...]
    server_log: tuple[LogLine, ...]
    now: float


def look(workspace: Workspace, name: str) -> Rollout:
    """The endpoint as it is now."""
    endpoint = workspace.endpoints.get(name)
    gated = endpoints.newest(endpoint)
    failed = endpoint.state is EndpointState.FAILED
    proving = gated is not None and not gated.gate.final and gated.gate_job_id
    return Rollout(
        endpoint=endpoint,
        live=endpoints.served(workspace, endpoint),
        hour=endpoints.last_hour(workspace, name),
        gate_log=workspace.jobs.logs(gated.gate_job_id, limit=8)
        if gated and proving and workspace.can("jobs.logs")
        else (),
        server_log=workspace.endpoints.logs(name, limit=12) if failed and workspace.can("endpoints.logs") else (),
        now=time.time(),
    )


def pace(rollout: Rollout) -> float | None:
    """Often until endpoint, deployments and gates are final, then never."""
    return FAST_S if endpoints.moving(rollout.endpoint) else None


def draw(workspace: Workspace, rollout: Rollout) -> None:
    """The endpoint, each deployment behind it, and what is happening to them."""
    notices.twin(next((s.data for s in rollout.live), None))
    endpoints.card(rollout.endpoint, rollout.live, rollout.hour, rollout.now, here="Deploy")
    if rollout.endpoint.state is EndpointState.FAILED:
        failures.say(f"The server does not answer: {rollout.endpoint.error}")
        logs.show(rollout.server_log, rollout.now)
    for deployment in rollout.endpoint.deployments:
        _deployment(workspace, rollout, deployment)


def _deployment(workspace: Workspace, rollout: Rollout, deployment: Deployment) -> None:
    traffic = rollout.endpoint.traffic.get(deployment.name, 0)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(
                f"**{deployment.name}** :gray[{deployment.model}, version {deployment.model_version} · "
                f"{traffic} % of requests]",
                width="content",
            )
            _badges(deployment)
        if deployment.error:
            failures.say(deployment.error)
        if not deployment.gate.final:
            _gate_progress(rollout)
        elif deployment.gate is GateState.FAILED:
            st.markdown(":red[Its gate failed, so it gets no requests.]")
            navigation.link("Quality", "See which checks failed", endpoint=deployment.endpoint)
        elif traffic == 0 and deployment.proven:
            st.markdown("Proven, and without requests so far: give it some below, under Details.")
        if deployment.forced_by:
            st.caption(f"{deployment.forced_by} gave it traffic without a passed gate.")


def _badges(deployment: Deployment) -> None:
    with st.container(horizontal=True, width="content", gap="xsmall"):
        for word in (words.state(deployment.state), words.state(deployment.gate)):
            notices.badge(word)


def _gate_progress(rollout: Rollout) -> None:
    waits = any(d.state is DeploymentState.STARTING for d in rollout.endpoint.deployments)
    label = "The server starts; the gate follows" if waits else "The gate proves it: parity, contract, time to answer"
    with st.status(label, expanded=bool(rollout.gate_log)):
        for line in rollout.gate_log:
            st.markdown(f":gray[{words.moment(line.at, rollout.now)}] {literal(line.text)}")
