"""Each deployment's verdict: may it take requests, why, and who said so where no gate did."""

import streamlit as st

from core.domain.endpoint import Deployment
from core.ui.kit import notices, words
from core.ui.quality import report
from core.ui.quality.gates import Gates
from core.ui.shell import navigation
from core.ui.shell.markup import literal


def show(gates: Gates) -> None:
    """Each deployment, the newest first."""
    for deployment in reversed(gates.endpoint.deployments):
        _deployment(gates, deployment)


def _deployment(gates: Gates, deployment: Deployment) -> None:
    """May it take traffic, why, and who said so where no gate did."""
    share = gates.endpoint.traffic.get(deployment.name, 0)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(
                f"**{deployment.name}** :gray[{literal(deployment.model)}, version {deployment.model_version} · "
                f"{share} % of traffic]",
                width="content",
            )
            notices.badge(words.state(deployment.gate))
        last = next((r for r in gates.reports if r.deployment == deployment.name), None)
        if last is not None:
            st.markdown(f":small[{report.sentence(last)} :gray[{words.ago(last.created_at, gates.now)}]]")
        elif deployment.gate.final:
            st.markdown(":small[:gray[No gate has run for it yet.]]")
        if told := _override(deployment, share):
            st.markdown(told)
        if deployment.gate.final and not deployment.proven:
            _how_to_override(deployment)


def _override(deployment: Deployment, share: int) -> str:
    """Whether requests reach it without a passed gate, and who let them."""
    who = literal(deployment.forced_by)
    proven = deployment.proven
    if share and not proven:
        by = f"forced by **{who}**" if who else "it got its traffic before this gate ran"
        return f":red[:material/gpp_bad:] It gets {share} % of traffic without a passed gate: {by}."
    if who:
        since = "; its gate has passed since" if proven else "; it gets none now"
        return f":gray[:material/history: **{who}** once gave it traffic without a passed gate{since}.]"
    return "" if proven or not deployment.gate.final else ":red[:material/block:] It gets no traffic."


def _how_to_override(deployment: Deployment) -> None:
    with st.expander("How to override the gate", icon=":material/front_hand:"):
        st.markdown(
            "A deployment without a passed gate gets no traffic. You can override that under your name, which is "
            "recorded and shown here: on the Deploy page under Traffic, or with this command:"
        )
        st.code(
            f'python -m core endpoint set-traffic {deployment.endpoint} {deployment.name}=100 --force-by "YOUR NAME"',
            language="bash",
            wrap_lines=True,
        )
        navigation.link("Deploy", "Its traffic on the Deploy page", endpoint=deployment.endpoint, use="Traffic")
