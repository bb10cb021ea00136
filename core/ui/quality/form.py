"""Ask for a gate."""

import streamlit as st

from core.domain.endpoint import Endpoint, GateBudget
from core.ui.shell import actions
from core.ui.shell.abilities import able
from core.ui.shell.state import state
from core.workspace import Workspace

DEPTHS = {"default": "Default (about half a minute)", "full": "Full (several minutes)"}


def run_form(workspace: Workspace, endpoint: Endpoint) -> None:
    """Ask for a gate of one deployment."""
    with st.form("quality.gate", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        names = [d.name for d in reversed(endpoint.deployments)]
        deployment = st.selectbox("Deployment", names, key=f"quality.deployment.{endpoint.name}", width=200)
        depth = st.selectbox("Depth", list(DEPTHS), key="quality.depth", format_func=DEPTHS.__getitem__, width=260)
        with st.popover("Budget", icon=":material/timer:"):
            budget, by = _budget()
        go = st.form_submit_button(
            "Run the gate", type="primary", icon=":material/verified:", **able("proofs.run_gate", unless=not names)
        )
    if go:
        job = actions.run(
            "Queueing the gate",
            workspace.proofs.run_gate,
            endpoint.name,
            deployment or "",
            depth=depth,
            budget=budget,
            by=by,
        )
        if job is not None:
            state.gate_job = job.id
            st.rerun()


def _budget() -> tuple[GateBudget | None, str]:
    """The budget that the visitor gives, None for the deployment's own; and who answers for a looser one."""
    own = "As deployed"
    p99_ms = st.number_input("p99 at most (ms)", 1.0, 60_000.0, None, placeholder=own, key="quality.p99_ms")
    rate = st.number_input(
        "Throughput at least (requests/s)", 1.0, 1e6, None, placeholder=own, key="quality.requests_per_s"
    )
    by = st.text_input("Your name, for a looser budget", key="quality.by", help="Shown in the report.")
    if p99_ms is None and rate is None:
        return None, by.strip()
    usual = GateBudget()
    return GateBudget(p99_ms or usual.p99_ms, rate or usual.requests_per_s), by.strip()
