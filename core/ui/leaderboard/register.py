"""Register a trial's model, or deploy it in one click."""

from collections.abc import Callable

import streamlit as st

from core.domain.endpoint import DeploymentSpec
from core.domain.names import endpoint_name
from core.domain.training import Trial
from core.ui.leaderboard.board import Board
from core.ui.shell import actions, navigation
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal
from core.workspace import Workspace


def offer(board: Board, trial: Trial, label: str, *, key: str, beside: Callable[[], None] = lambda: None) -> None:
    """Where the trial's model is registered, its name and the way to Deploy; else a form that registers it.

    `label` is the button's; `key` tells two offers of one page apart; what `beside` draws stands in the same line.
    """
    place = f"{key}.{board.job.id}.{trial.number}"
    model = board.registered(trial)
    name, register, deploy = "", False, False
    with st.container(horizontal=True, vertical_alignment="bottom" if model is None else "center"):
        if model is not None:
            said = f"Registered as **{literal(model.name)}, version {model.version}**"
            st.markdown(f":green[:material/check_circle:] {said}", width="content")
            navigation.link("Deploy", "Deploy it", model=model.ref)
        else:
            suggested = endpoint_name(board.data.name if board.data else "model")
            name = st.text_input("Model name", value=suggested, key=f"leaderboard.model.{place}", width=260).strip()
            register = st.button(
                label,
                type="primary",
                icon=":material/bookmark_add:",
                key=f"leaderboard.register.{place}",
                **able("models.register"),
            )
            deploy = _deploy_button(place)
        beside()
    if register:
        actions.apply("Registering", board.workspace.models.register, name, board.job.id, trial.number)
    if deploy and actions.run("Deploying", _deploy, board.workspace, name, board.job.id, trial.number) is not None:
        navigation.go("Deploy", endpoint=endpoint_name(name))


def _deploy_button(place: str) -> bool:
    return st.button(
        "Deploy",
        icon=":material/rocket_launch:",
        key=f"leaderboard.deploy.{place}",
        **able(
            "models.register",
            "endpoints.deploy",
            help="Registers the model and deploys it to the endpoint of the same name, without traffic until its gate "
            "has passed.",
        ),
    )


def _deploy(workspace: Workspace, name: str, job_id: str, number: int) -> str:
    """Register, and deploy at once. What is registered stays where the deployment is refused."""
    model = workspace.models.register(name, job_id, number)
    return workspace.endpoints.deploy(DeploymentSpec(endpoint_name(name), model.name, model.version)).name
