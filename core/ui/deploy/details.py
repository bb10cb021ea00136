"""The Details tab: addresses, where the model comes from, traffic and mirror, settings, and how to end it all."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import streamlit as st

from core.domain.endpoint import MIRROR_MAX_PCT, Deployment, DeploymentState, Endpoint, EndpointLimits
from core.ui.kit import words
from core.ui.shell import actions, cached, navigation
from core.ui.shell.abilities import able
from core.workspace import Workspace

LIMITS: Mapping[str, tuple[str, str]] = {
    "max_body_mb": ("Largest body, MB", "Larger ones are refused with 413, before they are read."),
    "max_rows": ("Most rows in a request", "The document says it as maxItems."),
    "max_concurrent": ("Most requests at once", "Further ones are told with 429 to come again."),
    "max_connections": ("Most connections", "Further ones are told with 503 to come again."),
    "max_header_kb": ("Largest head, KB", "Larger ones are refused with 431."),
    "header_timeout_s": ("Time for a head, s", "Slower clients are let go with 408."),
    "body_timeout_s": ("Time for a body, s", "Slower clients are let go with 408."),
    "idle_timeout_s": ("Time between requests, s", "A kept connection without a request is closed after it."),
    "workers": ("Workers", "Processes that answer; each holds every deployment."),
    "swagger_requires_key": ("The document needs the key", "As Azure's managed endpoints have it."),
    "collect_model_data": (
        "Keep inputs and answers",
        "On this machine, beside the records of requests. Off by default.",
    ),
    "cors_origins": ("Origins that may call from a browser", "One a line; * for all; empty for none."),
}
"""Every setting of an endpoint: its label with its unit, and what it does."""


def show(workspace: Workspace, endpoint: Endpoint) -> None:
    """All that is known of an endpoint, and all that can be changed of it."""
    _addresses(endpoint)
    _lineage(endpoint)
    if endpoint.deployments:
        _traffic(workspace, endpoint)
    _failures(workspace, endpoint)
    _settings(workspace, endpoint)
    _ending(workspace, endpoint)


def _addresses(endpoint: Endpoint) -> None:
    root = endpoint.scoring_uri.removesuffix("/score")
    st.subheader("Addresses", anchor=False)
    for name, address in (
        ("Score", endpoint.scoring_uri),
        ("Document", endpoint.swagger_uri),
        ("Documentation", endpoint.docs_uri),
        ("Health", f"{root}/"),
        ("Metrics", endpoint.metrics_uri),
    ):
        if not address:
            continue
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(name, width=120)
            st.code(address, language=None, width="stretch")


def _lineage(endpoint: Endpoint) -> None:
    if not endpoint.deployments:
        return
    st.subheader("Where it comes from", anchor=False)
    for deployment in endpoint.deployments:
        model = cached.model(deployment.model, deployment.model_version)
        data = cached.asset(model.data)
        st.markdown(
            f"{words.asset(data.ref)} ({words.SOURCES[data.source].lower()}, {words.count(data.rows)} rows) "
            f":material/arrow_forward: job `{model.job_id}` :material/arrow_forward: model {model.name}, "
            f"version {model.version} :material/arrow_forward: deployment **{deployment.name}**"
        )
    with st.container(horizontal=True, width="content"):
        navigation.link("Explore", "The data")
        navigation.link("Leaderboard", "The training")


def _traffic(workspace: Workspace, endpoint: Endpoint) -> None:
    """Sliders that must sum to 100, or all be 0."""
    st.subheader("Traffic", anchor=False)
    with st.container(border=True):
        shares = {d.name: _slider(endpoint, d, "traffic", endpoint.traffic, 100) for d in endpoint.deployments}
        mirror = {
            d.name: _slider(endpoint, d, "mirror", endpoint.mirror, MIRROR_MAX_PCT)
            for d in endpoint.deployments
            if len(endpoint.deployments) > 1
        }
        total, copies = sum(shares.values()), sum(mirror.values())
        problem = _problem(total, copies)
        st.markdown(f":red[{problem}]" if problem else f"In sum {total} %.")
        by = "" if all(d.proven for d in endpoint.deployments) else _answerable(endpoint)
        with st.container(horizontal=True):
            apply = st.button(
                "Apply",
                type="primary",
                key=f"details.apply.{endpoint.name}",
                **able("endpoints.set_traffic", unless=bool(problem)),
            )
            st.markdown(
                "" if endpoint.settled else ":blue[The server is taking up the latest change.]", width="content"
            )
        if apply:
            actions.apply(
                "Moving traffic", workspace.endpoints.set_traffic, endpoint.name, shares, mirror, force=bool(by), by=by
            )


def _answerable(endpoint: Endpoint) -> str:
    """Who gives an unproven deployment traffic."""
    return st.text_input(
        "Your name, to override a gate",
        key=f"details.by.{endpoint.name}",
        help="A deployment whose gate has not passed gets no requests, unless somebody answers for it. "
        "The name is kept and shown.",
    ).strip()


def _slider(endpoint: Endpoint, deployment: Deployment, what: str, now: Mapping[str, int], most: int) -> int:
    label = f"{deployment.name}: {'% of requests' if what == 'traffic' else '% copied to it (mirror)'}"
    return int(
        st.slider(
            label,
            0,
            most,
            value=now.get(deployment.name, 0),
            key=f"details.{what}.{endpoint.name}.{deployment.name}",
            help=None if what == "traffic" else "Copies are scored and recorded, and never answered from.",
        )
    )


def _problem(total: int, copies: int) -> str:
    if total not in (0, 100):
        return f"The shares sum to {total} %: they must sum to 100 %, or all be 0."
    return f"{copies} % are copied, at most {MIRROR_MAX_PCT} % may be." if copies > MIRROR_MAX_PCT else ""


def _failures(workspace: Workspace, endpoint: Endpoint) -> None:
    """What the server said last of a deployment that does not load."""
    for deployment in endpoint.deployments:
        if deployment.state is DeploymentState.FAILED and workspace.can("endpoints.logs"):
            with st.expander(f"Why {deployment.name} does not load", icon=":material/error:", expanded=True):
                lines = workspace.endpoints.logs(endpoint.name, limit=50, level="error")
                about = [line.text for line in lines if f"deployment {deployment.name} does not load" in line.text]
                st.code(about[-1] if about else deployment.error, language=None, wrap_lines=True)


def _settings(workspace: Workspace, endpoint: Endpoint) -> None:
    with st.expander("Settings", icon=":material/tune:"), st.form(f"details.settings.{endpoint.name}", border=False):
        given: dict[str, Any] = {}
        columns = st.columns(3)
        for number, limit in enumerate(fields(EndpointLimits)):
            with columns[number % 3]:
                given[limit.name] = _setting(endpoint, limit.name)
        if st.form_submit_button("Save", type="primary", **able("endpoints.update")):
            changes = {name: value for name, value in given.items() if value != getattr(endpoint.limits, name)}
            actions.apply("Saving", workspace.endpoints.update, endpoint.name, changes)


def _setting(endpoint: Endpoint, name: str) -> Any:
    label, what = LIMITS[name]
    now, key = getattr(endpoint.limits, name), f"details.{endpoint.name}.{name}"
    if isinstance(now, bool):
        return st.checkbox(label, value=now, key=key, help=what)
    if isinstance(now, tuple):
        return tuple(st.text_area(label, value="\n".join(now), key=key, help=what, height=80).split())
    kind = type(getattr(EndpointLimits(), name))
    return kind(st.number_input(label, min_value=kind(1), value=kind(now), key=key, help=what))


def _ending(workspace: Workspace, endpoint: Endpoint) -> None:
    with st.expander("Delete", icon=":material/delete:"):
        idle = [d.name for d in endpoint.deployments if not endpoint.traffic.get(d.name, 0)]
        if idle:
            with st.container(horizontal=True, vertical_alignment="bottom"):
                name = st.selectbox("A deployment without traffic", idle, key=f"details.idle.{endpoint.name}")
                if st.button("Delete it", key=f"details.drop.{endpoint.name}", **able("endpoints.delete_deployment")):
                    actions.apply("Deleting", _dropped, workspace, endpoint.name, name)
        typed = st.text_input("To delete the endpoint, type its name", key=f"details.confirm.{endpoint.name}")
        st.caption("Its server stops, and its keys and the records of its requests are gone for good.")
        sure = typed.strip() == endpoint.name
        if st.button(
            "Delete the endpoint", key=f"details.delete.{endpoint.name}", **able("endpoints.delete", unless=not sure)
        ):
            actions.apply("Deleting", _deleted, workspace, endpoint.name)


def _dropped(workspace: Workspace, endpoint: str, deployment: str) -> bool:
    workspace.endpoints.delete_deployment(endpoint, deployment)
    return True


def _deleted(workspace: Workspace, name: str) -> bool:
    workspace.endpoints.delete(name)
    return True
