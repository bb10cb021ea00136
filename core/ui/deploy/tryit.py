"""The Test tab: a form made from the model's signature, answered by the endpoint itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.contract.samples import body, typical_row
from core.domain.endpoint import DEPLOYMENT_HEADER, Endpoint, ScoreReply
from core.domain.model import Model
from core.domain.monitoring import Origin
from core.domain.signature import Signature
from core.ui.deploy import why
from core.ui.kit import charts, endpoints, words
from core.ui.kit.row_form import Row, row_form
from core.ui.shell import actions, cached
from core.ui.shell.markup import literal
from core.ui.shell.state import state
from core.workspace import Workspace

FORMS = {"v1": "Azure AutoML, older", "v2": "Azure AutoML, newer", "mlflow": "MLflow"}
"""The request forms that an endpoint takes, as people know them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the endpoint said to one try: the reply, and for a form also the reply with probabilities."""

    endpoint: str
    reply: ScoreReply
    shares: ScoreReply | None
    signature: Signature
    """Of the model that was asked."""
    single: bool
    """Whether one row was asked for: then no row of the answer needs a number."""
    row: Row | None = None
    """What the form asked; None where a body was sent."""


def show(workspace: Workspace, endpoint: Endpoint, model: Model) -> None:
    """Ask for one row, or for a whole body as JSON; score it through the endpoint; show the answer."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        as_json = st.toggle(
            "JSON", key="deploy.as_json", help="Send any body, as a client would.", persist_state="page"
        )
        form = _form() if as_json else ""
        deployment = _deployment(endpoint)
    asked = endpoint.chosen(deployment) if deployment else None
    model = cached.model(asked.model, asked.model_version) if asked else model
    if as_json:
        request = _json_form(model, form)
        if request is not None:
            _score(workspace, endpoint, deployment, model.signature, request)
    else:
        row = row_form(model.ref, model.signature)
        if row is not None:
            _score(workspace, endpoint, deployment, model.signature, body([row]), row)
    if isinstance(state.answer, Answer) and state.answer.endpoint == endpoint.name:
        _show(state.answer)
        why.show(workspace, _model_of(endpoint, state.answer) or model, state.answer.row)


def _score(
    workspace: Workspace,
    endpoint: Endpoint,
    deployment: str,
    signature: Signature,
    request: bytes,
    row: Row | None = None,
) -> None:
    state.answer = None
    # Without traffic the endpoint answers 503; a deployment that waits for its gate is reached by its name.
    if not deployment and not endpoint.live and (waiting := endpoints.answering(endpoint)):
        deployment = waiting.name
    reply = actions.run(
        "Scoring", workspace.endpoints.invoke, endpoint.name, request, deployment=deployment, origin=Origin.APP
    )
    if reply is None:
        return
    shares = None
    if row is not None and reply.status == 200 and not signature.regression:
        # Whoever gave the label gives the probabilities too: traffic might send the second question to another model.
        deployment = _answered_by(reply) or deployment
        asked = body([row], method="predict_proba")
        shares = actions.run(
            "Scoring", workspace.endpoints.invoke, endpoint.name, asked, deployment=deployment, origin=Origin.APP
        )
    explained = row if reply.status == 200 else None
    state.answer = Answer(endpoint.name, reply, shares, signature, row is not None, explained)
    # The answer stands below a long form, perhaps out of sight.
    if reply.status == 200:
        st.toast(
            f"Prediction: {literal(', '.join(shown(label) for label in results(reply.body)[:3]))}",
            icon=":material/check_circle:",
        )
    else:
        st.toast(f"Rejected with {reply.status}", icon=":material/block:")


# Ask


def _form() -> str:
    names = list(FORMS)
    return str(
        st.selectbox(
            "Request format", names, key="deploy.form", format_func=FORMS.__getitem__, width=240, persist_state="page"
        )
    )


def _deployment(endpoint: Endpoint) -> str:
    """Which deployment to ask; empty for what traffic decides."""
    if len(endpoint.deployments) < 2:
        return ""
    names = ["", *(d.name for d in endpoint.deployments)]
    return str(
        st.selectbox(
            "Answered by",
            names,
            key=f"deploy.by.{endpoint.name}",
            format_func=lambda name: name or "By traffic share",
            width=240,
            persist_state="page",
        )
    )


def _json_form(model: Model, form: str) -> bytes | None:
    with st.form("deploy.json", border=False):
        typical = json.dumps(json.loads(body([typical_row(model.signature)], form)), indent=2, ensure_ascii=False)
        text = st.text_area(
            "Body", value=typical, height=320, key=f"deploy.body.{model.ref}.{form}", persist_state="page"
        )
        return text.encode() if st.form_submit_button("Score", type="primary", icon=":material/send:") else None


# Show


def _show(answer: Answer) -> None:
    reply, signature = answer.reply, answer.signature
    if reply.status != 200:
        _show_refusal(reply, answer.single)
        return
    labels = results(reply.body)
    with st.container(border=True):
        if signature.regression and answer.single and len(labels) == 1:
            st.metric(
                "Prediction",
                literal(shown(labels[0])),
                help=f"The model predicts the column {literal(signature.target)}.",
            )
        elif answer.shares is None or answer.shares.status != 200 or len(labels) != 1:
            st.json(reply.body)
        else:
            # In a narrow window the chart stands below.
            with st.container(horizontal=True, vertical_alignment="center"):
                told = f"The model predicts the column {literal(signature.target)}."
                st.metric("Prediction", literal(shown(labels[0])), help=told, width=220)
                chart = charts.probabilities(signature.classes, results(answer.shares.body)[0])
                charts.show(chart, key="deploy.shares", alt="Probability of each class")
        by = _answered_by(reply)
        facts = [_rule(signature), f"by deployment {by}" if by else "", f"in {words.milliseconds(reply.elapsed_ms)}"]
        told = " · ".join(fact for fact in facts if fact)
        st.caption(f"{told[:1].upper()}{told[1:]}")


def _rule(signature: Signature) -> str:
    """From which probability on the positive class is predicted, where there are two classes (Markdown)."""
    if signature.threshold is None and len(signature.classes) != 2:
        return ""
    share = 0.5 if signature.threshold is None else signature.threshold
    positive = signature.classes[-1] if signature.positive_class is None else signature.positive_class
    return f"predicts {literal(str(positive))} at {100 * share:.3g} % or above"


def shown(label: Any) -> str:
    """A class as people read it: yes, no, true and false begin with a capital."""
    text = f"{label:,.6g}" if isinstance(label, float) else str(label)
    return text.capitalize() if text in ("yes", "no", "true", "false") else text


def _model_of(endpoint: Endpoint, answer: Answer) -> Model | None:
    """Which model answered; None where the reply does not say it."""
    found = next((d for d in endpoint.deployments if d.name == _answered_by(answer.reply)), None)
    return cached.model(found.model, found.model_version) if found else None


def _answered_by(reply: ScoreReply) -> str:
    """The deployment that answered; empty where it does not say so."""
    return next((v for k, v in reply.headers.items() if k.lower() == DEPLOYMENT_HEADER), "")


def _show_refusal(reply: ScoreReply, single: bool) -> None:
    parsed: dict[str, Any] = reply.body if isinstance(reply.body, dict) else {"message": str(reply.body)}
    st.error(f"**Rejected with {reply.status}.** {literal(parsed.get('message', ''))}", icon=":material/block:")
    if details := parsed.get("details"):
        rows: list[Mapping[str, Any]] = list(details)
        single = single or all(d["row"] <= 0 for d in rows)
        numbers = {} if single else {"Row (from 0)": [words.DASH if d["row"] < 0 else str(d["row"]) for d in rows]}
        st.dataframe(
            numbers
            | {
                "Column": [d["column"] for d in rows],
                "Problem": [d["problem"] for d in rows],
            },
            hide_index=True,
        )


def results(parsed: Any) -> list[Any]:
    """The answers in a reply of any of the three forms, and in the old services' double encoding."""
    if isinstance(parsed, str):
        parsed = json.loads(parsed)
    if isinstance(parsed, dict):
        parsed = parsed.get("result", parsed.get("Results", []))
    return list(parsed)
