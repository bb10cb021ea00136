"""Home's content: all that a newcomer needs to see what is live and whether it can be trusted."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.domain.data import DataAsset, DataSource
from core.domain.endpoint import Endpoint
from core.domain.job import Job, JobKind
from core.domain.model import Model
from core.domain.monitoring import TelemetrySummary
from core.domain.training import Trial
from core.ui.home import journey
from core.ui.kit import endpoints, jobs, notices, words
from core.ui.kit.endpoints import Served
from core.ui.shell import cached
from core.ui.shell.live import CALM_S, FAST_S
from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Overview:
    """The workspace at one moment."""

    now: float
    assets: tuple[DataAsset, ...]
    models: tuple[Model, ...]
    endpoints: tuple[Endpoint, ...]
    jobs: tuple[Job, ...]
    trials: Mapping[str, tuple[Trial, ...]]
    served: Mapping[str, tuple[Served, ...]]
    hours: Mapping[str, TelemetrySummary]

    @property
    def running(self) -> tuple[Job, ...]:
        return tuple(j for j in self.jobs if not j.state.final)

    @property
    def live(self) -> tuple[Endpoint, ...]:
        return tuple(e for e in self.endpoints if e.live)


def look(workspace: Workspace) -> Overview:
    """Read all of it, now."""
    listed = workspace.list_jobs(limit=12)
    known = workspace.list_endpoints()
    training = [j for j in listed if j.kind is JobKind.AUTOML and not j.state.final]
    return Overview(
        now=time.time(),
        assets=workspace.list_data(),
        models=workspace.list_models(),
        endpoints=known,
        jobs=listed,
        trials={j.id: workspace.trials(j.id) for j in training},
        served={e.name: endpoints.served(workspace, e) for e in known},
        hours={e.name: cached.telemetry(e.name, endpoints.HOUR_S, endpoints.HOUR_BUCKETS) for e in known},
    )


def pace(seen: Overview) -> float:
    """Home has no final state: look often while something moves or nothing is live yet, else calmly."""
    moves = seen.running or any(endpoints.moving(e) for e in seen.endpoints)
    return FAST_S if moves or not seen.live else CALM_S


def draw(seen: Overview) -> None:
    """Live first, then what runs, then on which data."""
    notices.twin(next((a for a in seen.assets if a.source is DataSource.TWIN), None))
    if not seen.live:
        _not_live_yet(seen)
    for endpoint in seen.endpoints:
        endpoints.card(endpoint, seen.served[endpoint.name], seen.hours[endpoint.name], seen.now)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _work(seen)
    with right:
        _data(seen)
        _service(seen)


def _not_live_yet(seen: Overview) -> None:
    if seen.running or seen.endpoints:
        st.info(
            "**On the way.** Nothing is live yet; each step below turns green as it is done.",
            icon=":material/hourglass_top:",
        )
    else:
        st.info(
            "**Nothing is live yet.** Five steps lead from a table to a proven endpoint. `python -m core quickstart` "
            "takes them all by itself, and this page shows it.",
            icon=":material/flag:",
        )
    journey.draw(journey.stages(seen.assets, seen.jobs, seen.models, seen.endpoints, seen.now))


def _work(seen: Overview) -> None:
    st.subheader("What runs", anchor=False)
    for job in seen.running:
        jobs.progress(job, seen.trials.get(job.id, ()), seen.now)
    if not seen.running:
        st.caption("Nothing at the moment.")
    if done := [j for j in seen.jobs if j.state.final][:6]:
        st.markdown("**Lately**")
        jobs.lately(done, seen.now)


def _data(seen: Overview) -> None:
    st.subheader("Data in use", anchor=False)
    if not seen.assets:
        st.caption("No table is registered.")
    for asset in seen.assets[:4]:
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                st.markdown(f"**{words.asset(asset.ref)}**", width="content")
                twin = asset.source is DataSource.TWIN
                st.badge(words.SOURCES[asset.source], color="orange" if twin else "gray")
            st.caption(
                f"{words.count(asset.rows)} rows, {len(asset.columns)} columns · registered "
                f"{words.ago(asset.created_at, seen.now)}"
            )


def _service(seen: Overview) -> None:
    st.subheader("Service", anchor=False)
    service = cached.service()
    if service.status is None or not service.status.running:
        st.caption("Being started." if service.starting else "Down: see the foot of the sidebar.")
        return
    waiting = sum(j.started_at is None for j in seen.running)
    st.caption(
        f"Version {service.status.version}, up since {words.moment(service.status.started_at, seen.now)} · "
        f"{words.plural(len(seen.running) - waiting, 'job')} running, {waiting} waiting · "
        f"{words.plural(len(seen.endpoints), 'endpoint')}"
    )
