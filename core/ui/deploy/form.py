"""Deploy a model: the form above the endpoints."""

from collections.abc import Sequence

import streamlit as st

from core.domain.endpoint import (
    Deployment,
    DeploymentSpec,
)
from core.domain.model import Model
from core.domain.names import endpoint_name
from core.ui.kit import words
from core.ui.shell import actions, choices
from core.ui.shell.abilities import able
from core.workspace import Workspace


def deploy_form(workspace: Workspace, models: Sequence[Model]) -> None:
    """Ask for a model and an endpoint, and begin the deployment; the page then shows it."""
    by_ref = {m.ref: m for m in models}
    left, right = st.columns([3, 2])
    ref = left.selectbox("Model", list(by_ref), key="deploy.model", format_func=lambda r: _model_line(by_ref[r]))
    model = by_ref[ref]
    with right.form("deploy.form", border=False):
        name = st.text_input(
            "Endpoint",
            value=endpoint_name(model.name),
            key=f"deploy.endpoint.{model.name}",
            help="3 to 32 lower-case letters, digits and dashes. An endpoint that exists gets one more deployment.",
        )
        go = st.form_submit_button(
            "Deploy", type="primary", icon=":material/rocket_launch:", **able("endpoints.deploy")
        )
    left.caption(
        "It starts without traffic. A gate then proves it: the same numbers as in training, the published contract, "
        "the time to answer. Only a passed gate gives it requests."
    )
    if go:
        choices.put("endpoint", name.strip())
        actions.apply("Deploying", _deploy, workspace, name.strip(), model)


def _deploy(workspace: Workspace, endpoint: str, model: Model) -> Deployment:
    return workspace.endpoints.deploy(DeploymentSpec(endpoint, model.name, model.version))


def _model_line(model: Model) -> str:
    auc = words.score(model.metrics.get("AUC_weighted"))
    return f"{model.name}, version {model.version} · {words.algorithm(model.algorithm)} · AUC {auc}"
