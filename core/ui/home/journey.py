"""The way to the first live model, in five stages read from what the workspace holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import streamlit as st

from core.domain.data import DataAsset
from core.domain.endpoint import Endpoint, EndpointState, GateState
from core.domain.job import Job, JobKind, JobState
from core.domain.model import Model
from core.ui.kit import jobs, words
from core.ui.shell import navigation


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
    """One stage: what it is called, how far it is, what there is to say, and the page that continues it."""

    title: str
    mark: Mark
    detail: str
    page: str


def stages(
    assets: Sequence[DataAsset],
    all_jobs: Sequence[Job],
    models: Sequence[Model],
    endpoints: Sequence[Endpoint],
    now: float,
) -> tuple[Stage, ...]:
    """Data, model, endpoint, proof, live: each from the newest of its kind."""
    training = next((j for j in all_jobs if j.kind is JobKind.AUTOML), None)
    endpoint = endpoints[0] if endpoints else None
    return (_data(assets), _model(training, models, now), _endpoint(endpoint), _proof(endpoint), _live(endpoint))


def _data(assets: Sequence[DataAsset]) -> Stage:
    if not assets:
        return Stage("Data", Mark.TODO, "Register a table", "Explore")
    return Stage("Data", Mark.DONE, f"{words.count(assets[0].rows)} rows are registered", "Explore")


def _model(training: Job | None, models: Sequence[Model], now: float) -> Stage:
    if training is not None and not training.state.final:
        used = jobs.share(training, now)
        detail = f"Trains, {100 * used:.0f} % of its time" if used else "Training waits to start"
        return Stage("Model", Mark.DOING, detail, "Leaderboard")
    if models:
        auc = words.score(models[0].metrics.get("AUC_weighted"))
        return Stage("Model", Mark.DONE, f"{words.algorithm(models[0].algorithm)}, AUC {auc}", "Leaderboard")
    if training is not None and training.state is JobState.FAILED:
        return Stage("Model", Mark.FAILED, training.message or "Training failed", "Leaderboard")
    if training is not None:
        return Stage("Model", Mark.TODO, "Register the best trial", "Leaderboard")
    return Stage("Model", Mark.TODO, "Train on it", "Leaderboard")


def _endpoint(endpoint: Endpoint | None) -> Stage:
    if endpoint is None:
        return Stage("Endpoint", Mark.TODO, "Deploy the model", "Deploy")
    if not endpoint.state.final:
        return Stage("Endpoint", Mark.DOING, f"{endpoint.name} starts", "Deploy")
    if endpoint.state is EndpointState.FAILED:
        return Stage("Endpoint", Mark.FAILED, endpoint.error or f"{endpoint.name} failed", "Deploy")
    return Stage("Endpoint", Mark.DONE, f"{endpoint.name} answers", "Deploy")


def _proof(endpoint: Endpoint | None) -> Stage:
    gates = {d.gate for d in endpoint.deployments} if endpoint else set()
    if gates & {GateState.QUEUED, GateState.RUNNING}:
        return Stage("Proof", Mark.DOING, "The gate checks it", "Quality")
    if GateState.PASSED in gates:
        return Stage("Proof", Mark.DONE, "The gate passed", "Quality")
    if GateState.FAILED in gates:
        return Stage("Proof", Mark.FAILED, "The gate failed", "Quality")
    return Stage("Proof", Mark.TODO, "The gate proves it", "Quality")


def _live(endpoint: Endpoint | None) -> Stage:
    if endpoint is not None and endpoint.live:
        return Stage("Live", Mark.DONE, "It answers requests", "Monitor")
    return Stage("Live", Mark.TODO, "Traffic follows the proof", "Monitor")


def draw(path: Sequence[Stage]) -> None:
    """The stages in a row."""
    for column, stage in zip(st.columns(len(path)), path, strict=True):
        color, icon = LOOKS[stage.mark]
        with column, st.container(border=True, height="stretch", gap="xsmall"):
            st.markdown(f":{color}[:material/{icon}:] **{stage.title}**")
            st.caption(stage.detail)
            navigation.link(stage.page)
