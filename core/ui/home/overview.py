"""The workspace at one moment: all that a newcomer needs to see what is live and whether it can be trusted."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.alerts import Alert, AlertState, UnreadableAlert
from core.domain.data import DataAsset
from core.domain.endpoint import Endpoint
from core.domain.job import Job, JobKind
from core.domain.model import Model
from core.domain.monitoring import TelemetrySummary
from core.domain.run import RunSummary
from core.domain.schedule import Schedule
from core.domain.training import Trial
from core.ui.kit import endpoints
from core.ui.kit.endpoints import Served
from core.ui.shell import cached
from core.ui.shell.live import CALM_S, FAST_S
from core.workspace import Workspace

CARDS = ("endpoints.list", "models.get", "data.get")
"""The verbs that it takes to show an endpoint with what it was trained on."""

EVERYTHING = 3
"""How many times longer a distant workspace is left alone by a page that asks it for everything."""
FAILED_S = 7 * 86_400.0
"""A run that failed is told for so long, unless its pipeline succeeds before."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What Home shows."""

    now: float
    assets: tuple[DataAsset, ...]
    models: tuple[Model, ...]
    endpoints: tuple[Endpoint, ...]
    jobs: tuple[Job, ...]
    trials: Mapping[str, tuple[Trial, ...]]
    served: Mapping[str, tuple[Served, ...]]
    hours: Mapping[str, TelemetrySummary | None]
    failed: tuple[RunSummary, ...] = ()
    """The last run of each pipeline that failed lately and has not succeeded since."""
    going: tuple[RunSummary, ...] = ()
    """Runs of pipelines that go on, or wait to."""
    schedules: tuple[Schedule, ...] = ()
    firing: tuple[Alert, ...] = ()
    """Alerts that fire."""
    unreadable_alerts: tuple[UnreadableAlert, ...] = ()
    """Alerts that watch nothing."""

    @property
    def running(self) -> tuple[Job, ...]:
        """Jobs that have not ended, save the runs of pipelines in `going`."""
        runs = {run.id for run in self.going}
        return tuple(j for j in self.jobs if not j.state.final and j.id not in runs)

    @property
    def live(self) -> tuple[Endpoint, ...]:
        return tuple(e for e in self.endpoints if e.live)


def look(workspace: Workspace) -> Overview:
    """Read all of it, now."""
    can = workspace.can
    listed = workspace.jobs.list(limit=12) if can("jobs.list") else ()
    known = workspace.endpoints.list() if can(*CARDS) else ()
    news = cached.run_news() if can("pipelines.list_runs", "pipelines.revision") else cached.RunNews()
    alerts = workspace.records.alerts() if can("records.alerts") else ()
    now = time.time()
    training = [j for j in listed if j.kind is JobKind.AUTOML and not j.state.final]
    return Overview(
        now=now,
        assets=workspace.data.list() if can("data.list") else (),
        models=workspace.models.list() if can("models.list") else (),
        endpoints=known,
        jobs=listed,
        trials={j.id: workspace.jobs.trials(j.id) for j in training if can("jobs.trials")},
        served={e.name: endpoints.served(workspace, e) for e in known},
        hours={e.name: endpoints.last_hour(workspace, e.name) for e in known},
        failed=tuple(run for run in news.failed if now - (run.ended_at or now) < FAILED_S),
        going=news.going,
        schedules=cached.schedules() if can("schedules.list") else (),
        firing=tuple(a for a in alerts if a.state is AlertState.FIRING),
        unreadable_alerts=workspace.records.unreadable_alerts() if can("records.unreadable_alerts") else (),
    )


def pace(seen: Overview) -> float:
    """Home has no final state: look often while something moves or nothing is live yet, else calmly.

    A look asks for everything, a dozen requests of a distant workspace; it is left alone for longer.
    """
    often_s = max(FAST_S, EVERYTHING * cached.workspace().pace.look_s)
    moves = seen.running or seen.going or any(endpoints.moving(e) for e in seen.endpoints)
    return often_s if moves or not seen.live else CALM_S
