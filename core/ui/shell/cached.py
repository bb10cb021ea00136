"""Every cache of the app, keyed by ids and versions, never by a frame, and bounded.

What never changes (one version's profile, sample, model) is kept as long as there is room. What does change is kept for
two seconds, together with the failure to get it: exceptions are not cached by Streamlit, and a dead backend would
otherwise be asked again by every click.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from threading import Thread

import pandas as pd
import streamlit as st
from streamlit import config

from core.domain.data import DataAsset, DataRef, TableProfile, TableSample
from core.domain.errors import DataNotFound, ServiceUnavailable, SlipwayError
from core.domain.job import JobState
from core.domain.model import Model
from core.domain.monitoring import Origin, ServiceStatus, TelemetrySummary
from core.domain.proof import GateReport
from core.domain.run import RunSummary
from core.domain.schedule import Schedule
from core.settings import read_settings
from core.ui.shell.state import state
from core.workspace import Workspace, open_workspace

CHANGING_S = 2
FAILED_LOOKED_AT, GOING_MAX = 50, 10
GOING = (JobState.RUNNING, JobState.QUEUED)


@lru_cache(maxsize=8)
def opened(where: str | None, backend: str | None) -> Workspace:
    """The workspace of the environment in which these two settings are named so."""
    settings = read_settings(os.environ, workspace=backend)
    # The uploader refuses by our setting; Streamlit's door, which counts the frame around a file too, just above it.
    config.set_option("server.maxUploadSize", settings.upload_max_mb + 1)
    return open_workspace(settings, confined=True)


def default_backend() -> str:
    """The backend that the environment's settings name."""
    return os.environ.get("SLIPWAY_WORKSPACE") or "local"


def workspace() -> Workspace:
    """The workspace of the backend that the visitor has chosen, else of the settings', opened once per process.
    Raises BackendMissing.

    Asked for by every part and button of a page: Streamlit's cache takes 170 us a call, this one 5.
    """
    return opened(os.environ.get("SLIPWAY_HOME"), state.backend or default_backend())


def where() -> str:
    """What tells one workspace from another: a session may look at two of them."""
    settings = workspace().settings
    return f"{settings.workspace} {settings.home}"


# Data and models never change once registered, and their values are frozen: all visits share one. A copy for each,
# as `cache_data` makes, takes 2 ms at every look at the profile of 70 columns


def profile(ref: DataRef, target: str = "") -> TableProfile:
    """Every column of a data version summarised, with the target's rates. Raises DataNotFound, SpecInvalid."""
    return _profile(where(), ref.name, ref.version, target)


@st.cache_resource(max_entries=64, show_spinner="Looking at every column …")
def _profile(where: str, name: str, version: int, target: str) -> TableProfile:
    return workspace().data.profile(DataRef(name, version), target)


def sample(ref: DataRef) -> TableSample:
    """The first rows of a data version. Raises DataNotFound."""
    return _sample(where(), ref.name, ref.version)


@st.cache_resource(max_entries=64, show_spinner=False)
def _sample(where: str, name: str, version: int) -> TableSample:
    return workspace().data.sample(DataRef(name, version))


def model(name: str, version: int) -> Model:
    """One model version. Raises ModelNotFound."""
    return _model(where(), name, version)


@st.cache_resource(max_entries=256, show_spinner=False)
def _model(where: str, name: str, version: int) -> Model:
    return workspace().models.get(name, version)


def asset(ref: DataRef) -> DataAsset:
    """One data version's registration. Raises DataNotFound."""
    return _asset(where(), ref.name, ref.version)


def data_of(model: Model) -> DataAsset | None:
    """The data that a model was trained on; None where it came as a folder, and its data is elsewhere."""
    try:
        return asset(model.data)
    except DataNotFound:
        if not model.imported:
            raise
        return None


@st.cache_resource(max_entries=256, show_spinner=False)
def _asset(where: str, name: str, version: int) -> DataAsset:
    return workspace().data.get(DataRef(name, version))


def gate_reports(endpoint: str, ended: tuple[str, ...]) -> tuple[GateReport, ...]:
    """An endpoint's gate reports when these gates had ended: they never change, and one more comes with one more gate.

    Shared and not copied: they are frozen, and long.
    """
    return _gate_reports(where(), endpoint, ended)


@st.cache_resource(max_entries=16, show_spinner=False)
def _gate_reports(where: str, endpoint: str, ended: tuple[str, ...]) -> tuple[GateReport, ...]:
    return workspace().proofs.gate_reports(endpoint)


def scored(job_id: str, rows: int) -> pd.DataFrame:
    """The first rows of what a batch job has scored; no more of the file is read. Raises JobNotFound, Conflict."""
    return _scored(where(), job_id, rows)


@st.cache_data(max_entries=64, show_spinner=False)
def _scored(where: str, job_id: str, rows: int) -> pd.DataFrame:
    with workspace().jobs.open_output(job_id) as file:
        return pd.read_csv(file, nrows=rows)


@dataclass(frozen=True, slots=True)
class RunNews:
    """What there is to say of pipelines' runs."""

    failed: tuple[RunSummary, ...] = ()
    """The last failed run of each pipeline that has not succeeded since, newest first; of the newest that failed."""
    going: tuple[RunSummary, ...] = ()
    """The newest that go on or wait to."""


def run_news() -> RunNews:
    """As it is now; while no run has changed, nothing is asked but that."""
    return _run_news(where(), workspace().pipelines.revision())


@st.cache_resource(max_entries=4, show_spinner=False)
def _run_news(where: str, revision: int) -> RunNews:
    going = (workspace().pipelines.list_runs(state=state, limit=GOING_MAX) for state in GOING)
    return RunNews(_failed(), tuple(run for runs in going for run in runs))


def _failed() -> tuple[RunSummary, ...]:
    pipelines = workspace().pipelines
    last: dict[str, RunSummary] = {}
    for run in pipelines.list_runs(state=JobState.FAILED, limit=FAILED_LOOKED_AT):
        last.setdefault(run.pipeline, run)

    def mended(run: RunSummary) -> bool:
        good = pipelines.list_runs(run.pipeline, state=JobState.SUCCEEDED, limit=1)
        return any(one.created_at > run.created_at for one in good)

    return tuple(run for run in last.values() if not mended(run))


# What changes, with the failure to get it


def schedules() -> tuple[Schedule, ...]:
    """All schedules, with their next fires."""
    found = _schedules(where())
    if isinstance(found, SlipwayError):
        raise found
    return found


@st.cache_data(ttl=CHANGING_S, max_entries=4, show_spinner=False)
def _schedules(where: str) -> tuple[Schedule, ...] | SlipwayError:
    try:
        return workspace().schedules.list()
    except SlipwayError as error:
        return error


def telemetry(endpoint: str, window_s: float, buckets: int, origin: Origin | None = Origin.CLIENT) -> TelemetrySummary:
    """An endpoint's last `window_s` seconds in `buckets` intervals. Raises EndpointNotFound."""
    found = _telemetry(where(), endpoint, window_s, buckets, origin)
    if isinstance(found, SlipwayError):
        raise found
    return found


@st.cache_data(ttl=CHANGING_S, max_entries=64, show_spinner=False)
def _telemetry(
    where: str, endpoint: str, window_s: float, buckets: int, origin: Origin | None
) -> TelemetrySummary | SlipwayError:
    try:
        return workspace().records.telemetry(endpoint, window_s, buckets, origin=origin)
    except SlipwayError as error:
        return error


@dataclass(frozen=True, slots=True)
class Service:
    """The workspace service as the app sees it: its status, whether it is being started, or why it could not be."""

    status: ServiceStatus | None
    starting: bool
    error: SlipwayError | None


class ServiceStart:
    """Starts the service on a thread of its own, so that the first page does not wait for it."""

    def __init__(self, opened: Workspace) -> None:
        self._workspace = opened
        self.error: SlipwayError | None = None
        self._thread = Thread(target=self._start, name="service-start", daemon=True)
        self._thread.start()

    @property
    def going_on(self) -> bool:
        return self._thread.is_alive()

    def _start(self) -> None:
        try:
            self._workspace.service.start()
        except SlipwayError as error:
            self.error = error


@st.cache_resource(show_spinner=False)
def _service_start(where: str) -> ServiceStart:
    return ServiceStart(workspace())


def service() -> Service:
    """The service's state; the first call in a process starts it in the background when it is absent."""
    here = where()
    start = _service_start(here)
    status = _service_status(here)
    if isinstance(status, SlipwayError):
        return Service(None, start.going_on, start.error or status)
    return Service(status, start.going_on and not status.running, None if status.running else start.error)


@st.cache_data(ttl=CHANGING_S, max_entries=4, show_spinner=False)
def _service_status(where: str) -> ServiceStatus | SlipwayError:
    try:
        return workspace().service.status()
    except SlipwayError as error:
        return error


def start_service() -> ServiceStatus:
    """Start the service now and wait for it. Raises ServiceUnavailable, PortInUse."""
    status = workspace().service.start()
    _service_start.clear()
    _service_status.clear()
    if not status.running:
        raise ServiceUnavailable("The service did not start", hint="Look at service.log in the workspace folder")
    return status
