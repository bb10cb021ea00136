"""One deployment in the Traffic tab: what it is, whether it was ever asked, why it failed, and its end."""

import streamlit as st

from core.domain.endpoint import Deployment, DeploymentState, Endpoint, GateState
from core.ui.kit import notices, words
from core.ui.shell import actions, cached, failures, navigation
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal
from core.workspace import Workspace

WEEK_S, DAYS = 7 * 86_400.0, 7


def head(endpoint: Endpoint, deployment: Deployment) -> None:
    """Its name, model, share, and states."""
    share = endpoint.traffic.get(deployment.name, 0)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(
            f"**{deployment.name}** · {share} % of requests · "
            f":gray[{literal(deployment.model)}, version {deployment.model_version}]",
            width="content",
        )
        with st.container(horizontal=True, width="content", gap="xsmall"):
            notices.badge(words.state(deployment.state))
            notices.badge(words.state(deployment.gate))
    if deployment.forced_by:
        st.caption(f"{literal(deployment.forced_by)} forced traffic to it without a passed gate.")


def history(workspace: Workspace, endpoint: Endpoint, deployment: Deployment) -> None:
    """Of one without traffic: whether it had any, from the records of requests."""
    if endpoint.traffic.get(deployment.name, 0) or not workspace.can("records.telemetry"):
        return
    found = cached.telemetry(endpoint.name, WEEK_S, DAYS, None).by_deployment.get(deployment.name)
    if found is not None and found.requests:
        told = (
            f"No traffic now; answered {words.plural(found.requests, 'request')} of all kinds in the last {DAYS} days."
        )
    else:
        told = f"No traffic now, and no requests in the last {DAYS} days."
    st.caption(told)


def failure(workspace: Workspace, deployment: Deployment) -> None:
    """Why it does not load, or that its gate has failed."""
    if deployment.error:
        failures.say(deployment.error)
    if deployment.state is DeploymentState.FAILED and workspace.can("endpoints.logs"):
        lines = workspace.endpoints.logs(deployment.endpoint, limit=50, level="error")
        about = [line.text for line in lines if f"deployment {deployment.name} does not load" in line.text]
        if about:
            st.code(about[-1], language=None, wrap_lines=True)
    if deployment.gate is GateState.FAILED:
        navigation.link("Quality", "See which checks failed", endpoint=deployment.endpoint)


def deletion(workspace: Workspace, endpoint: Endpoint, deployment: Deployment) -> None:
    """Delete it, after it was said what goes and what stays."""
    with st.popover("Delete", icon=":material/delete:"):
        mirrored = endpoint.mirror.get(deployment.name, 0)
        st.markdown(
            "Requests are mirrored to it: stop that first."
            if mirrored
            else f"**{deployment.name}** is removed from this endpoint. Its model stays registered."
        )
        if st.button(
            f"Delete {deployment.name}",
            key=f"traffic.drop.{endpoint.name}.{deployment.name}",
            **able("endpoints.delete_deployment", unless=bool(mirrored)),
        ):
            actions.apply("Deleting", _dropped, workspace, endpoint.name, deployment.name)


def _dropped(workspace: Workspace, endpoint: str, deployment: str) -> bool:
    workspace.endpoints.delete_deployment(endpoint, deployment)
    return True
