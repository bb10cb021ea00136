"""Jobs for people: what each one is about, and how far it is."""

from collections.abc import Sequence

import streamlit as st

from core.domain.data import DataRef
from core.domain.job import JOB_TYPES, Job, JobState
from core.domain.proof import GateSpec
from core.domain.ranking import best
from core.domain.run import PipelineRunSpec
from core.domain.training import TrainingResult, TrainingSpec, Trial
from core.ui.kit import notices, words
from core.ui.shell.markup import literal


def data_of(job: Job) -> DataRef | None:
    """The data version that a training job was trained on; None for other kinds."""
    return job.spec.data if isinstance(job.spec, TrainingSpec) else None


def about(job: Job) -> str:
    """What a job is about, in a few words: `Train on bankmarketing-train to predict y`."""
    if isinstance(job.spec, TrainingSpec):
        return f"Train on {job.spec.data.name} to predict {job.spec.target}"
    if isinstance(job.spec, GateSpec):
        return f"Gate of {job.spec.endpoint} / {job.spec.deployment or 'newest deployment'}"
    if isinstance(job.spec, PipelineRunSpec):
        return f"Pipeline {job.spec.pipeline}, experiment {job.experiment_name}"
    return f"{JOB_TYPES[job.kind].label}, experiment {job.experiment_name}"


def elapsed(job: Job, now: float) -> float | None:
    """Seconds since a job started, until its end; None while it waits."""
    return None if job.started_at is None else max(0.0, (job.ended_at or now) - job.started_at)


def share(job: Job, now: float) -> float | None:
    """The part of a job's time that is used, in [0, 1]; None where no time was set."""
    limit, used = _limit_s(job), elapsed(job, now)
    return None if limit is None or used is None else min(1.0, used / limit)


def _limit_s(job: Job) -> float | None:
    return job.spec.timeout_s if isinstance(job.spec, TrainingSpec) else None


def primary_metric(job: Job) -> str:
    """The metric that a training job optimizes."""
    return job.spec.primary_metric if isinstance(job.spec, TrainingSpec) else "AUC_weighted"


def progress(job: Job, trials: Sequence[Trial], now: float) -> None:
    """One job: what it is about, how far it is, and for a training its trials and best score so far."""
    word = words.state(job.state)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{literal(about(job))}**", width="content")
            notices.badge(word, "Stopping" if job.stopping else "")
        used = None if job.state.final else share(job, now)
        if used is not None:
            st.progress(used, text=_time(job, now))
        st.caption(_facts(job, trials, now, with_time=used is None))


def leading(job: Job, trials: Sequence[Trial]) -> Trial | None:
    """The trial that a training has chosen, which need not be the highest by a hair; while it runs, the best so far."""
    found = job.result
    if isinstance(found, TrainingResult):
        return next((t for t in trials if t.number == found.best.number), None)
    return best(trials, primary_metric(job))


def _time(job: Job, now: float) -> str:
    return f"{words.lasting(elapsed(job, now))} of {words.lasting(_limit_s(job))}"


def _facts(job: Job, trials: Sequence[Trial], now: float, *, with_time: bool) -> str:
    facts = []
    if with_time and job.started_at is not None:
        verb = "Took" if job.state.final else "Running for"
        facts.append(f"{verb} {words.lasting(elapsed(job, now))}")
    if job.state is JobState.QUEUED:
        facts.append("Waiting for a free slot")
    if done := sum(bool(t.metrics) for t in trials):
        facts.append(words.plural(done, "trial") + " done")
    if (top := leading(job, trials)) and primary_metric(job) in top.metrics:
        metric = primary_metric(job)
        facts.append(
            f"best {words.metric(metric)} {words.score(top.metrics[metric])} ({words.algorithm(top.algorithm)})"
        )
    facts.append(f"experiment {literal(job.experiment_name)}")
    return " · ".join(facts)
