"""Deploy a model: the form above the endpoints, open while the address names a model."""

from collections.abc import Sequence

import streamlit as st

from core.domain.endpoint import Deployment, DeploymentSpec
from core.domain.model import Model
from core.domain.names import endpoint_name
from core.ui.kit import words
from core.ui.shell import actions, choices
from core.ui.shell.abilities import able
from core.workspace import Workspace


def deploy_button(models: Sequence[Model], opened: str) -> None:
    """Opens the form with the newest model, or closes it."""
    if st.button(
        "Close the form" if opened else "Deploy a model",
        key="deploy.open",
        icon=":material/close:" if opened else ":material/add_circle:",
        disabled=not models,
    ):
        choices.put("model", "" if opened else models[0].ref)
        st.rerun()


def opened_model(models: Sequence[Model]) -> str:
    """The model that the form is open for, as the address has it: `NAME:VERSION`, or empty."""
    return choices.opened("model", [m.ref for m in models], key="model")


def deploy_form(workspace: Workspace, models: Sequence[Model], opened: str) -> None:
    """Ask for a model and an endpoint, begin the deployment, and close; the page then shows that endpoint."""
    by_ref = {m.ref: m for m in models}
    with st.container(border=True):
        left, right = st.columns([3, 2])
        refs = list(by_ref)
        ref = left.selectbox(
            "Model",
            refs,
            index=refs.index(opened) if opened else 0,
            key=f"deploy.model.{opened}",
            format_func=lambda r: _model_line(by_ref[r]),
        )
        model = by_ref[ref]
        with right.form("deploy.form", border=False):
            name = st.text_input(
                "Endpoint",
                value=endpoint_name(model.name),
                key=f"deploy.endpoint.{model.name}",
                help="3 to 32 lower-case letters, digits and dashes. An existing endpoint gets another deployment.",
            ).strip()
            go = st.form_submit_button(
                "Deploy", type="primary", icon=":material/rocket_launch:", **able("endpoints.deploy")
            )
        left.caption(
            "It starts without traffic. A gate then checks that it gives the same numbers as in training, keeps to its "
            "published contract, and answers fast enough. Only a deployment whose gate has passed gets requests."
        )
    if go and actions.run("Deploying", _deploy, workspace, name, model) is not None:
        choices.put("endpoint", name)
        choices.put("model", "")
        st.rerun()


def _deploy(workspace: Workspace, endpoint: str, model: Model) -> Deployment:
    return workspace.endpoints.deploy(DeploymentSpec(endpoint, model.name, model.version))


def _model_line(model: Model) -> str:
    auc = words.score(model.metrics.get("AUC_weighted"))
    return f"{model.name}, version {model.version} · {words.algorithm(model.algorithm)} · AUC {auc}"
