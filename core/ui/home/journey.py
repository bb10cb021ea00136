"""The way to the first live model, in five stages read from what the workspace holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import streamlit as st

from core.domain.data import DataAsset
from core.domain.endpoint import Endpoint, EndpointState, GateState
from core.domain.job import Job, JobKind, JobState
from core.domain.model import Model
from core.ui.home import samples
from core.ui.kit import jobs, tables, words
from core.ui.shell import navigation
from core.ui.shell.markup import literal

STAGE_PX = 164


class Mark(StrEnum):
    """How far a stage is."""

    TODO = "todo"
    DOING = "doing"
    DONE = "done"
    FAILED = "failed"


LOOKS = {
    Mark.TODO: ("gray", "radio_button_unchecked"),
    Mark.DOING: ("blue", "progress_activity"),
    Mark.DONE: ("green", "check_circle"),
    Mark.FAILED: ("red", "error"),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: what it is called, how far it is, what there is to say, and the click that continues it."""

    title: str
    mark: Mark
    detail: str
    page: str
    label: str
    query: Mapping[str, str] = field(default_factory=dict)


def stages(
    assets: Sequence[DataAsset],
    all_jobs: Sequence[Job],
    models: Sequence[Model],
    endpoints: Sequence[Endpoint],
    now: float,
) -> tuple[Stage, ...]:
    """Data, model, endpoint, proof, live: each from the newest of its kind, with what was chosen before it."""
    training = next((j for j in all_jobs if j.kind is JobKind.AUTOML), None)
    asset, model = next(iter(assets), None), next(iter(models), None)
    endpoint = next(iter(endpoints), None)
    return (
        _data(asset),
        _model(training, asset, model, now),
        _endpoint(endpoint, model),
        _proof(endpoint),
        _live(endpoint),
    )


def _data(asset: DataAsset | None) -> Stage:
    if asset is None:
        return Stage("Data", Mark.TODO, "Register a table", "Explore", "Register")
    detail = f"{words.plural(asset.rows, 'row')} registered"
    return Stage("Data", Mark.DONE, detail, "Explore", "Explore", {"data": tables.key_of(asset)})


def _model(training: Job | None, asset: DataAsset | None, model: Model | None, now: float) -> Stage:
    train = samples.to_train(asset) if asset else {}
    look = {"job": training.id} if training else {}
    if training is not None and not training.state.final:
        used = jobs.share(training, now)
        detail = f"Training, {100 * used:.0f} % of its time" if used else "Training queued"
        return Stage("Model", Mark.DOING, detail, "Leaderboard", "Watch", look)
    if model is not None:
        auc = words.score(model.metrics.get("AUC_weighted"))
        detail = f"{words.algorithm(model.algorithm)}, {words.metric('AUC_weighted')} {auc}"
        return Stage("Model", Mark.DONE, detail, "Leaderboard", "Open", {} if model.imported else {"job": model.job_id})
    if training is not None and training.state is JobState.FAILED:
        return Stage("Model", Mark.FAILED, training.message or "Training failed", "Leaderboard", "Train again", train)
    if training is not None:
        return Stage("Model", Mark.TODO, "Register a trial", "Leaderboard", "Register", look)
    return Stage("Model", Mark.TODO, "Train a model", "Leaderboard", "Train", train)


def _endpoint(endpoint: Endpoint | None, model: Model | None) -> Stage:
    if endpoint is None:
        deploy = {"model": f"{model.name}:{model.version}"} if model else {}
        return Stage("Endpoint", Mark.TODO, "Deploy the model", "Deploy", "Deploy", deploy)
    open_it = ("Deploy", "Open", {"endpoint": endpoint.name})
    if not endpoint.state.final:
        return Stage("Endpoint", Mark.DOING, f"{endpoint.name} is starting", *open_it)
    if endpoint.state is EndpointState.FAILED:
        return Stage("Endpoint", Mark.FAILED, endpoint.error or f"{endpoint.name} failed", *open_it)
    return Stage("Endpoint", Mark.DONE, f"{endpoint.name} is ready", *open_it)


def _proof(endpoint: Endpoint | None) -> Stage:
    gates = {d.gate for d in endpoint.deployments} if endpoint else set()
    way = ("Quality", "See it", {"endpoint": endpoint.name} if endpoint else {})
    if gates & {GateState.QUEUED, GateState.RUNNING}:
        return Stage("Proof", Mark.DOING, "The gate is checking it", *way)
    if GateState.PASSED in gates:
        return Stage("Proof", Mark.DONE, "The gate passed", *way)
    if GateState.FAILED in gates:
        return Stage("Proof", Mark.FAILED, "The gate failed", *way)
    return Stage("Proof", Mark.TODO, "The gate runs by itself", *way)


def _live(endpoint: Endpoint | None) -> Stage:
    way = ("Monitor", "Monitor", {"endpoint": endpoint.name} if endpoint else {})
    if endpoint is not None and endpoint.live:
        return Stage("Live", Mark.DONE, "It answers requests", *way)
    return Stage("Live", Mark.TODO, "Traffic follows a passed gate", *way)


def draw(path: Sequence[Stage]) -> None:
    """The stages in a row that wraps, each with its link; what is to be done next stands out."""
    following = next((s for s in path if s.mark is not Mark.DONE), None)
    with st.container(horizontal=True, gap="small"):
        for stage in path:
            color, icon = LOOKS[stage.mark]
            with st.container(border=True, width=STAGE_PX, height="stretch", gap="xsmall"):
                st.markdown(
                    f":{color}[:material/{icon}:] **{stage.title}**"
                    + (" :blue-badge[Next]" if _is_next(stage, following) else "")
                )
                st.caption(literal(stage.detail))
                navigation.link(stage.page, stage.label, **stage.query)


def _is_next(stage: Stage, following: Stage | None) -> bool:
    return stage is following and stage.mark is Mark.TODO
