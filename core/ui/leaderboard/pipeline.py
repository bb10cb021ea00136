"""Make a pipeline of a finished training: the same search again and again, and what is to become of its model."""

from dataclasses import dataclass

import streamlit as st

from core.definitions.from_job import pipeline_from_training
from core.domain.errors import SlipwayError
from core.domain.job import JobState
from core.domain.names import endpoint_name
from core.domain.pipeline import PipelineSpec
from core.domain.training import TrainingSpec
from core.ui.kit import words
from core.ui.leaderboard.board import Board
from core.ui.shell import actions, cached, failures, navigation, panels
from core.ui.shell.abilities import able

NOWHERE, NEW = "", "+"
KEPT, GATED, PROMOTED, BETTER = "deploy", "gate", "promote", "better"
AFTER = {
    KEPT: "No traffic",
    GATED: "No traffic, wait for the gate",
    PROMOTED: "All traffic when its gate has passed",
    BETTER: "All traffic when its gate has passed and it is better",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of each model that the pipeline finds."""

    name: str
    model: str
    endpoint: str
    after: str


def show(board: Board) -> None:
    """A form, folded, for a training that has succeeded."""
    if board.job.state is not JobState.SUCCEEDED or board.data is None or board.best is None:
        return
    key = f"pipeline.{board.job.id}"
    form = panels.panel("Make this a pipeline", key=key, icon="account_tree")
    if form.open:
        with form:
            _form(board, key)


def _form(board: Board, key: str) -> None:
    st.caption(
        "Run this training again by a click, by a REST call or on a schedule, each time on the table as it is then."
    )
    wish = _ask(board, key)
    again = st.checkbox(
        "Use the newest registered version of the table",
        key=f"{key}.as_registered",
        help="Otherwise each run reads the table again from where it came from.",
    )
    spec = _made(board, wish, as_registered=again)
    then = st.checkbox("Then schedule it", key=f"{key}.schedule", **able("schedules.create"))
    go = st.button(
        "Publish the pipeline",
        type="primary",
        icon=":material/publish:",
        key=f"{key}.publish",
        **able("pipelines.publish", unless=spec is None),
    )
    if go and spec is not None and (made := actions.run("Publishing", board.workspace.pipelines.publish, spec)):
        panels.close(key)
        if then:
            navigation.go("Pipelines", view="Schedules", schedule_for=made.name)
        navigation.go("Pipelines", pipeline=made.name)


def _ask(board: Board, key: str) -> Wish:
    data = board.data.name if board.data else ""
    registered = board.models[0].name if board.models else endpoint_name(data)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Pipeline name", value=f"Train {data}", key=f"{key}.name", width=260)
        model = st.text_input("Model name", value=registered, key=f"{key}.model", width=220)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        endpoint = _endpoint(board, key, model)
        after = KEPT
        if endpoint is not None:
            after = st.selectbox(
                "After deploying",
                list(AFTER),
                index=3,
                format_func=AFTER.__getitem__,
                key=f"{key}.after",
                width=420,
                help="Better than the live model, on rows that neither was trained on.",
            )
    return Wish(name.strip(), model.strip(), endpoint or "", after or KEPT)


def _endpoint(board: Board, key: str, model: str) -> str | None:
    """The endpoint that each model is deployed to; None for none."""
    known = [e.name for e in board.workspace.endpoints.list()] if board.workspace.can("endpoints.list") else []
    titles = {NOWHERE: "Do not deploy", **{name: name for name in known}, NEW: "A new endpoint"}
    picked = st.selectbox("Deploy to", list(titles), format_func=titles.__getitem__, key=f"{key}.endpoint", width=260)
    if picked != NEW:
        return picked or None
    return st.text_input("Endpoint name", value=endpoint_name(model), key=f"{key}.new_endpoint", width=220).strip()


def _made(board: Board, wish: Wish, *, as_registered: bool) -> PipelineSpec | None:
    """The pipeline, with its steps in a line; None where it makes no sense, and then why is shown."""
    training, data = board.job.spec, board.data
    if not isinstance(training, TrainingSpec) or data is None:
        return None
    try:
        spec = pipeline_from_training(
            training,
            cached.asset(data.ref),
            name=wish.name,
            model=wish.model,
            endpoint=wish.endpoint,
            gate=wish.after in (GATED, PROMOTED, BETTER),
            promote=wish.after in (PROMOTED, BETTER),
            when_better=wish.after == BETTER,
            as_registered=as_registered,
        )
    except SlipwayError as error:
        failures.show(error)
        return None
    st.caption("  →  ".join(words.STEPS[step.kind] for step in spec.steps))
    return spec
