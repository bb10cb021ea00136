"""The Details tab: addresses, where the model comes from, settings, and how to end it all."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import streamlit as st

from core.domain.endpoint import Endpoint, EndpointLimits
from core.domain.pipeline import ValueType
from core.ui.kit import lineage, words
from core.ui.shell import actions, cached, navigation
from core.ui.shell.abilities import able
from core.ui.shell.drafts import draft
from core.ui.shell.markup import literal
from core.workspace import Workspace

LIMITS: Mapping[str, tuple[str, str]] = {
    "max_body_mb": ("Max body size, MB", "Larger requests are rejected with 413 before they are read."),
    "max_rows": ("Max rows per request", "Published in the OpenAPI document as maxItems."),
    "max_concurrent": ("Max concurrent requests", "Further requests are rejected with 429, retry later."),
    "max_connections": ("Max connections", "Further connections are rejected with 503, retry later."),
    "max_header_kb": ("Max header size, KB", "Requests with larger headers are rejected with 431."),
    "header_timeout_s": ("Header timeout, s", "Slower clients are disconnected with 408."),
    "body_timeout_s": ("Body timeout, s", "Slower clients are disconnected with 408."),
    "idle_timeout_s": ("Idle timeout, s", "A keep-alive connection without a request is closed after this time."),
    "workers": ("Workers", "Server processes; each of them loads every deployment."),
    "swagger_requires_key": ("Require a key for swagger.json", "As Azure's managed endpoints do."),
    "app_insights": (
        "Record requests",
        "When, how long, which status; no values. The Monitor page is made of it. On by default.",
    ),
    "collect_model_data": (
        "Collect inputs and predictions",
        "Kept on this machine, beside the records of requests. Off by default.",
    ),
    "collect_sample_pct": ("Collected requests, %", "So many of the requests have their inputs and predictions kept."),
    "masked_columns": ("Masked columns", "One per line; their values are never kept."),
    "cors_origins": ("Allowed CORS origins", "One per line; * for all, empty for none."),
}
"""Every setting of an endpoint: its label with its unit, and what it does."""


def show(workspace: Workspace, endpoint: Endpoint) -> None:
    """All that is known of an endpoint, and all that can be changed of it."""
    _addresses(endpoint)
    _lineage(workspace, endpoint)
    _settings(workspace, endpoint)
    _ending(workspace, endpoint)


def _addresses(endpoint: Endpoint) -> None:
    root = endpoint.scoring_uri.removesuffix("/score")
    st.subheader("Addresses", anchor=False)
    for name, address in (
        ("Score", endpoint.scoring_uri),
        ("OpenAPI", endpoint.swagger_uri),
        ("Docs page", endpoint.docs_uri),
        ("Health", f"{root}/"),
        ("Metrics", endpoint.metrics_uri),
    ):
        if not address:
            continue
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(name, width=120)
            st.code(address, language=None, width="stretch")


def _lineage(workspace: Workspace, endpoint: Endpoint) -> None:
    if not endpoint.deployments:
        return
    st.subheader("Lineage", anchor=False)
    for deployment in endpoint.deployments:
        model = cached.model(deployment.model, deployment.model_version)
        data = cached.data_of(model)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{deployment.name}**", width="content")
            if data is not None:
                navigation.link(
                    "Explore",
                    f"{words.asset(data.ref)} ({words.SOURCES[data.source].lower()}, {words.plural(data.rows, 'row')})",
                    data=f"{data.ref.name}:{data.ref.version}",
                    target=model.signature.target,
                )
            if model.imported:
                elsewhere = "" if data else f" and trained elsewhere on {literal(words.asset(model.data))}"
                st.markdown(
                    f"Model {literal(model.name)}, version {model.version}, was imported{elsewhere}", width="content"
                )
            else:
                navigation.link(
                    "Leaderboard",
                    f"Trial {model.trial}: model {model.name}, version {model.version}",
                    job=model.job_id,
                    trial=str(model.trial),
                )
        deployed = f"{endpoint.name}/{deployment.name}"
        lineage.show(workspace, ValueType.DEPLOYMENT, deployed, made=f"{deployment.name} deployed by")
        lineage.show(workspace, ValueType.MODEL, model.ref, made=f"{model.name}, version {model.version} registered by")


def _settings(workspace: Workspace, endpoint: Endpoint) -> None:
    labels = {limit.name: LIMITS[limit.name][0] for limit in fields(EndpointLimits)}
    facts = {label: _told(getattr(endpoint.limits, name)) for name, label in labels.items()}
    given: dict[str, Any] = {}
    with st.expander("Settings", icon=":material/tune:"):
        begun = draft(f"details.{endpoint.name}", facts)  # within: what it says must not fold the form
        with st.form(f"details.settings.{endpoint.name}", border=False):
            columns = st.columns(3)
            for number, name in enumerate(labels):
                with columns[number % 3]:
                    given[name] = _setting(endpoint, name, begun.key(name))
            saved = st.form_submit_button("Save", type="primary", **able("endpoints.update"))
    if saved:
        changes = {name: value for name, value in given.items() if value != getattr(endpoint.limits, name)}
        seen = {name: getattr(endpoint.limits, name) for name in changes}
        begun.save("Saving", workspace.endpoints.update, endpoint.name, changes, expected=seen)
    begun.follow()


def _told(value: Any) -> str:
    """A setting's value as people read it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return (", ".join(value) or "none") if isinstance(value, tuple) else f"{value:,g}"


def _setting(endpoint: Endpoint, name: str, key: str) -> Any:
    label, what = LIMITS[name]
    now = getattr(endpoint.limits, name)
    if isinstance(now, bool):
        return st.checkbox(label, value=now, key=key, help=what)
    if isinstance(now, tuple):
        lines = st.text_area(label, value="\n".join(now), key=key, help=what, height=80).splitlines()
        return tuple(line.strip() for line in lines if line.strip())
    kind = type(getattr(EndpointLimits(), name))
    return kind(st.number_input(label, min_value=min(kind(1), kind(now)), value=kind(now), key=key, help=what))


def _ending(workspace: Workspace, endpoint: Endpoint) -> None:
    with st.expander("Delete the endpoint", icon=":material/delete:"):
        st.caption("Its server stops; its keys and the records of its requests are deleted for good. Models stay.")
        typed = st.text_input("To delete the endpoint, type its name", key=f"details.confirm.{endpoint.name}")
        sure = typed.strip() == endpoint.name
        if st.button(
            "Delete the endpoint", key=f"details.delete.{endpoint.name}", **able("endpoints.delete", unless=not sure)
        ):
            actions.apply("Deleting", _deleted, workspace, endpoint.name)


def _deleted(workspace: Workspace, name: str) -> bool:
    workspace.endpoints.delete(name)
    return True
