"""The Traffic tab: who answers how much, how each version does, and every way to change that."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.domain.endpoint import MIRROR_MAX_PCT, Deployment, DeploymentState, Endpoint
from core.domain.monitoring import TelemetrySummary
from core.ui.deploy import shares, versions
from core.ui.kit import endpoints, percentiles, words
from core.ui.shell.abilities import able
from core.ui.shell.drafts import Draft, draft
from core.ui.shell.live import CALM_S, live
from core.workspace import Workspace

SMALL_PCT = 10
"""What a new version is given first."""


@dataclass(frozen=True, slots=True)
class Change:
    """Traffic as the visitor sees it, and whoever answers for a deployment without a passed gate."""

    workspace: Workspace
    endpoint: Endpoint
    draft: Draft
    by: str

    def allowed(self, wanted: Mapping[str, int]) -> bool:
        """Every deployment that is to get requests is proven, or somebody answers for it."""
        return bool(self.by) or all(d.proven for d in self.endpoint.deployments if wanted.get(d.name, 0))

    def apply(self, wanted: Mapping[str, int], mirror: Mapping[str, int] | None = None) -> None:
        """Set the shares, unless they were changed elsewhere since the visitor saw them."""
        set_traffic = self.workspace.endpoints.set_traffic
        name, seen, by = self.endpoint.name, self.endpoint.traffic, self.by
        self.draft.save("Changing the traffic", set_traffic, name, wanted, mirror, force=bool(by), by=by, expected=seen)


def show(workspace: Workspace, endpoint: Endpoint) -> None:
    """Shares, buttons, and both versions' figures."""
    if not endpoint.deployments:
        st.caption("Deploy a model first: there is no traffic to share yet.")
        return
    begun = draft(f"traffic.{endpoint.name}", _facts(endpoint))
    change = Change(workspace, endpoint, begun, _answerable(endpoint))
    _shares(change)
    for deployment in reversed(endpoint.deployments):
        _deployment(change, deployment)
    if workspace.can("records.telemetry"):
        live(
            lambda: endpoints.last_hour(workspace, endpoint.name),
            lambda _: CALM_S,
            lambda hour: _figures(endpoint, hour),
        )
    if len(endpoint.deployments) > 1:
        _mirror(change)
    if endpoint.live:
        _off_the_air(change)
    change.draft.follow()


def _facts(endpoint: Endpoint) -> dict[str, str]:
    """What the tab is made from, as people read it."""
    facts = {d.name: f"{endpoint.traffic.get(d.name, 0)} %" for d in endpoint.deployments}
    return facts | {f"mirror to {name}": f"{share} %" for name, share in endpoint.mirror.items() if share}


def _answerable(endpoint: Endpoint) -> str:
    """Who gives an unproven deployment traffic; nobody is asked where all are proven."""
    if all(d.proven for d in endpoint.deployments):
        return ""
    return st.text_input(
        "Your name, to force traffic without a passed gate",
        key=f"traffic.by.{endpoint.name}",
        help="A deployment whose gate has not passed gets no requests unless somebody takes responsibility by name. "
        "The name is kept and shown.",
    ).strip()


# Shares


def _shares(change: Change) -> None:
    endpoint = change.endpoint
    with st.container(border=True):
        if not endpoint.live:
            st.markdown(":orange[:material/cloud_off: **Off the air:** every request is answered with 503.]")
        wanted = _wanted(change)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{shares.told(wanted)}** · Total: {sum(wanted.values())} %", width="content")
            same = all(endpoint.traffic.get(name, 0) == share for name, share in wanted.items())
            blocked = same or not change.allowed(wanted)
            if st.button(
                "Apply",
                type="primary",
                key=f"traffic.apply.{endpoint.name}",
                **able("endpoints.set_traffic", unless=blocked and not change.draft.changed),
            ):
                change.apply(wanted)
            if not endpoint.settled:
                st.markdown(":blue[The server is applying the latest change.]", width="content")


def _wanted(change: Change) -> dict[str, int]:
    """One slider for two deployments; several sliders keep their sum; a single deployment has nothing to share."""
    endpoint, names = change.endpoint, [d.name for d in change.endpoint.deployments]
    now = {name: endpoint.traffic.get(name, 0) for name in names}
    if not endpoint.live:
        now = {name: 100 * (name == names[-1]) for name in names}
    if len(names) == 1:
        return {names[0]: 100}
    if len(names) == 2:
        first, second = names
        key = change.draft.key("share")
        st.session_state.setdefault(key, now[second])
        share = int(st.slider(f"Requests to {second}, %", 0, 100, key=key, help=f"{first} gets the rest."))
        return {first: 100 - share, second: share}
    keys = {name: change.draft.key(name) for name in names}
    for name, key in keys.items():
        st.session_state.setdefault(key, now[name])
    return {
        name: int(st.slider(f"Requests to {name}, %", 0, 100, key=key, on_change=_balance, args=(keys, name)))
        for name, key in keys.items()
    }


def _balance(keys: Mapping[str, str], moved: str) -> None:
    """The other sliders share what the moved one leaves."""
    now = {name: int(st.session_state[key]) for name, key in keys.items()}
    for name, share in shares.given(now, keys, moved, now[moved]).items():
        st.session_state[keys[name]] = share


# Each deployment


def _deployment(change: Change, deployment: Deployment) -> None:
    with st.container(border=True, gap="xsmall"):
        versions.head(change.endpoint, deployment)
        versions.history(change.workspace, change.endpoint, deployment)
        versions.failure(change.workspace, deployment)
        _steps(change, deployment)
        if not change.endpoint.traffic.get(deployment.name, 0):
            versions.deletion(change.workspace, change.endpoint, deployment)


def _steps(change: Change, deployment: Deployment) -> None:
    """What one click does, and what the shares will be after it."""
    endpoint, share = change.endpoint, change.endpoint.traffic.get(deployment.name, 0)
    names = [d.name for d in endpoint.deployments]
    if deployment.state is DeploymentState.FAILED:
        return
    if endpoint.live and share < SMALL_PCT:
        _step(
            change,
            deployment,
            f"Give {{}} {SMALL_PCT} %",
            shares.given(endpoint.traffic, names, deployment.name, SMALL_PCT),
        )
    if share < 100:
        back = shares.previous(endpoint)
        label = "Roll back to {}" if back is not None and back.name == deployment.name else "Promote {}"
        _step(change, deployment, label, {name: 100 * (name == deployment.name) for name in names})


def _step(change: Change, deployment: Deployment, label: str, wanted: Mapping[str, int]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        clicked = st.button(
            label.format(deployment.name),
            key=f"traffic.{label}.{change.endpoint.name}.{deployment.name}",
            width=200,
            **able("endpoints.set_traffic", unless=not change.allowed(wanted)),
        )
        then = (
            f"Then {shares.told(wanted)}." if change.allowed(wanted) else "Its gate has not passed: needs a name above."
        )
        st.markdown(f":gray[{then}]", width="content")
    if clicked:
        change.apply(wanted)


# All together


def _figures(endpoint: Endpoint, hour: TelemetrySummary | None) -> None:
    """Requests, errors and latency of each version, side by side."""
    if hour is None:
        return
    names = [d.name for d in reversed(endpoint.deployments)]
    found = [hour.by_deployment.get(name) for name in names]
    st.markdown("**Last hour, by version**")
    st.dataframe(
        {
            "Deployment": names,
            "Requests": [f.requests if f else 0 for f in found],
            "Client errors": [f.client_errors if f else 0 for f in found],
            "Server errors": [f.server_errors if f else 0 for f in found],
            "p50": [words.milliseconds(f.p50_ms if f else None) for f in found],
            "p99": [percentiles.p99(f.p99_ms, f.requests) if f else words.DASH for f in found],
        },
        hide_index=True,
        key=f"traffic.figures.{endpoint.name}",
    )
    st.caption(
        "Clients' requests only, latency measured by the server; load tests, batches, shadows and mirrored copies are "
        f"not counted. Updated at {words.moment(time.time(), time.time())}."
    )


def _mirror(change: Change) -> None:
    endpoint = change.endpoint
    with st.expander("Mirror", icon=":material/content_copy:", expanded=any(endpoint.mirror.values())):
        st.caption(
            f"A mirrored deployment scores copies of requests, at most {MIRROR_MAX_PCT} % in total. Clients never get "
            "its answers; the records keep them apart."
        )
        wanted = {}
        for deployment in endpoint.deployments:
            key = change.draft.key(f"mirror.{deployment.name}")
            st.session_state.setdefault(key, endpoint.mirror.get(deployment.name, 0))
            wanted[deployment.name] = int(st.slider(f"Copies to {deployment.name}, %", 0, MIRROR_MAX_PCT, key=key))
        total = sum(wanted.values())
        if total > MIRROR_MAX_PCT:
            st.markdown(f":red[{total} % in total, at most {MIRROR_MAX_PCT} % can be mirrored.]")
        if st.button(
            "Save mirror",
            key=f"traffic.mirror.{endpoint.name}",
            **able("endpoints.set_traffic", unless=total > MIRROR_MAX_PCT),
        ):
            change.apply(endpoint.traffic, wanted)


def _off_the_air(change: Change) -> None:
    """All shares 0, only after it was said what that means."""
    endpoint = change.endpoint
    with st.popover("Take off the air", icon=":material/cloud_off:"):
        st.markdown(
            f"Every deployment of **{endpoint.name}** gets 0 %. Each request is then answered with 503 until a "
            "deployment gets traffic again. Nothing is deleted."
        )
        if st.button(
            "Yes, answer all requests with 503",
            type="primary",
            key=f"traffic.off.{endpoint.name}",
            **able("endpoints.set_traffic"),
        ):
            change.apply({d.name: 0 for d in endpoint.deployments})
