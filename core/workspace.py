"""The interface everybody builds against: where data, jobs, models and endpoints live.

A backend is a class that inherits `Workspace` and overrides what it can do. A verb it does not override raises
`NotSupported` and is absent from its `capabilities`, which are derived from the class and so cannot drift from it.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, Protocol

from core.domain.data import AS_FOUND, DataAsset, DataRef, Lineage, Reading, TableProfile, TableSample
from core.domain.endpoint import (
    Deployment,
    DeploymentSpec,
    Endpoint,
    EndpointKeys,
    EndpointSpec,
    GateBudget,
    ScoreReply,
)
from core.domain.errors import BackendMissing, NotSupported
from core.domain.job import BatchSpec, Job, JobKind, LogLine
from core.domain.model import Curve, Explanation, Model
from core.domain.monitoring import (
    Alert,
    AlertRule,
    BackupReport,
    DriftReport,
    Feedback,
    Finding,
    Origin,
    RequestRecord,
    ServiceStatus,
    TelemetrySummary,
)
from core.domain.pipeline import PipelineEndpoint, PipelineRun, PipelineSpec, Schedule, ScheduleSpec
from core.domain.proof import CheckResult, GateReport, LoadReport, LoadSpec, Target
from core.domain.training import Comparison, Compute, TrainingSpec, Trial, TrialDetail
from core.settings import Settings


def _cannot(verb: str) -> NoReturn:
    raise NotSupported(
        f"This workspace cannot do '{verb}'", hint="`capabilities` lists what it can; another backend may do more"
    )


class Workspace(Protocol):
    """One workspace. Long operations return at once with a state to poll; lists come newest first.

    Raises, besides what each verb names: SpecInvalid for values that make no sense, ServiceUnavailable when the
    backend cannot be reached, StorageFull when nothing more can be kept.
    """

    settings: Settings

    @property
    def capabilities(self) -> frozenset[str]:
        """The verbs that this backend can do."""
        return frozenset(verb for verb in VERBS if getattr(type(self), verb) is not getattr(Workspace, verb))

    # Data assets

    def register_data(self, name: str, source: str, reading: Reading = AS_FOUND) -> DataAsset:
        """Register the table `source` (a path, or a known name such as `bankmarketing_train`) as `name`.

        `notes` of the asset say what was done to it. The same bytes, read the same way, under the same name give the
        version that exists. Raises SourceUnreadable, TableUnusable.
        """
        _cannot("register_data")

    def list_data(self) -> tuple[DataAsset, ...]:
        """All versions of all data assets."""
        _cannot("list_data")

    def data(self, ref: DataRef) -> DataAsset:
        """One version; version 0 is the newest. Raises DataNotFound."""
        _cannot("data")

    def profile(self, ref: DataRef, target: str = "") -> TableProfile:
        """Every column summarised; with a binary `target` its rate per level. Raises DataNotFound, SpecInvalid."""
        _cannot("profile")

    def sample(self, ref: DataRef, rows: int = 20) -> TableSample:
        """The first `rows` rows. Raises DataNotFound."""
        _cannot("sample")

    def lineage(self, ref: DataRef) -> Lineage:
        """The jobs, models and deployments that came of a data version. Raises DataNotFound."""
        _cannot("lineage")

    # Computes

    def ensure_compute(self, compute: Compute) -> Compute:
        """Get the compute of that name, or create or change it to these limits."""
        _cannot("ensure_compute")

    def list_computes(self) -> tuple[Compute, ...]:
        """All computes; `local` is always there."""
        _cannot("list_computes")

    # Jobs

    def submit(self, spec: TrainingSpec | BatchSpec | LoadSpec, *, parent_id: str = "") -> Job:
        """Queue a job and return it, queued. A batch of a `source` has read it by then.

        Raises DataNotFound, SourceUnreadable, TableUnusable (also a target that cannot be learned).
        """
        _cannot("submit")

    def job(self, job_id: str) -> Job:
        """The job as it is now. Raises JobNotFound."""
        _cannot("job")

    def list_jobs(
        self,
        kind: JobKind | None = None,
        limit: int = 100,
        *,
        endpoint: str = "",
        experiment_name: str = "",
        data: DataRef | None = None,
    ) -> tuple[Job, ...]:
        """The newest `limit` of the jobs of one kind, on one endpoint, in one experiment, of one data version.

        What is not given lets all through.
        """
        _cannot("list_jobs")

    def cancel_job(self, job_id: str) -> Job:
        """Ask a job to end; a final one is left as it is. Raises JobNotFound."""
        _cannot("cancel_job")

    def continue_job(self, job_id: str, timeout_s: float) -> Job:
        """Give an ended training job more time: a new job that starts from its trials. Raises JobNotFound, Conflict."""
        _cannot("continue_job")

    def trials(self, job_id: str) -> tuple[Trial, ...]:
        """A training job's trials by number, finished or running. Raises JobNotFound."""
        _cannot("trials")

    def trial_detail(self, job_id: str, number: int) -> TrialDetail:
        """One trial with its log. Raises JobNotFound."""
        _cannot("trial_detail")

    def compare_trials(self, picks: Sequence[tuple[str, int]]) -> Comparison:
        """Trials (job id, number) of any jobs side by side. Raises JobNotFound."""
        _cannot("compare_trials")

    def job_output(self, job_id: str) -> Path:
        """The file that a batch job wrote, on this machine. Raises JobNotFound, Conflict while there is none."""
        _cannot("job_output")

    def job_logs(self, job_id: str, limit: int = 1000) -> tuple[LogLine, ...]:
        """The last `limit` lines of a job's log, oldest first. Raises JobNotFound."""
        _cannot("job_logs")

    # Models

    def register_model(self, name: str, job_id: str) -> Model:
        """Register the best model of a succeeded training job; the same job twice gives the same version.

        Raises JobNotFound, Conflict (the job has no model).
        """
        _cannot("register_model")

    def list_models(self) -> tuple[Model, ...]:
        """All versions of all models."""
        _cannot("list_models")

    def model(self, name: str, version: int = 0) -> Model:
        """One version; 0 is the newest. Raises ModelNotFound."""
        _cannot("model")

    def explain_row(self, name: str, version: int, row: Mapping[str, Any]) -> Explanation:
        """What each column contributes to one row's score. Raises ModelNotFound, PayloadInvalid."""
        _cannot("explain_row")

    def curves(self, name: str, version: int) -> tuple[Curve, ...]:
        """The charts of a model's out-of-fold predictions. Raises ModelNotFound."""
        _cannot("curves")

    def package_model(self, name: str, version: int, folder: Path) -> Path:
        """Copy the model folder to `folder`. Raises ModelNotFound, Conflict when it exists."""
        _cannot("package_model")

    # Endpoints

    def create_endpoint(self, spec: EndpointSpec) -> Endpoint:
        """Create an endpoint with keys and no deployment. Raises Conflict when it exists, PortInUse."""
        _cannot("create_endpoint")

    def update_endpoint(self, name: str, changes: Mapping[str, Any]) -> Endpoint:
        """Change the limits that are named, and no others. Raises EndpointNotFound, SpecInvalid."""
        _cannot("update_endpoint")

    def list_endpoints(self) -> tuple[Endpoint, ...]:
        """All endpoints."""
        _cannot("list_endpoints")

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint as it is now. Raises EndpointNotFound."""
        _cannot("endpoint")

    def deploy(self, spec: DeploymentSpec) -> Deployment:
        """Put a model behind an endpoint with 0 % traffic and queue its gate, in one transaction.

        The endpoint is created when it is absent. When this gate passes while the traffic map is empty (nobody has
        given or taken any), the deployment gets 100 %. The same name and model again gives what is there; a name with
        another model, and an endpoint that is being deleted, raise Conflict. Raises ModelNotFound.
        """
        _cannot("deploy")

    def delete_deployment(self, endpoint: str, name: str) -> None:
        """Remove a deployment without traffic. Raises EndpointNotFound, Conflict."""
        _cannot("delete_deployment")

    def delete_endpoint(self, name: str) -> None:
        """Stop and remove an endpoint, its deployments, keys and telemetry. Raises EndpointNotFound."""
        _cannot("delete_endpoint")

    def set_traffic(
        self,
        endpoint: str,
        traffic: Mapping[str, int],
        mirror: Mapping[str, int] | None = None,
        *,
        force: bool = False,
        by: str = "",
    ) -> Endpoint:
        """Give each deployment its percent (sum 0 or 100; mirror at most 50; None leaves the mirror).

        Raises EndpointNotFound for a name in either map that is no deployment's, and GateRefused for one whose gate has
        not passed, unless `force`d by somebody named in `by`.
        """
        _cannot("set_traffic")

    def endpoint_keys(self, name: str) -> EndpointKeys:
        """Both keys. Raises EndpointNotFound."""
        _cannot("endpoint_keys")

    def rotate_key(self, name: str, which: str) -> EndpointKeys:
        """Replace the `primary` or `secondary` key; in force within a second. Raises EndpointNotFound, SpecInvalid."""
        _cannot("rotate_key")

    def endpoint_target(self, name: str, origin: Origin) -> Target:
        """Where to send, with a key that makes requests count as this origin's: for senders of ours, shown to nobody.

        Raises EndpointNotFound.
        """
        _cannot("endpoint_target")

    def invoke(self, name: str, body: bytes, *, deployment: str = "", origin: Origin = Origin.CLIENT) -> ScoreReply:
        """Send a body to the endpoint over HTTP with its key, as any client would, and give whatever it answers.

        It counts as a client's request unless `origin` says otherwise. Raises EndpointNotFound, ServiceUnavailable
        when nothing listens.
        """
        _cannot("invoke")

    def swagger(self, name: str, version: str = "2") -> Mapping[str, Any]:
        """The document that the endpoint publishes ("2", "3" or "3.1"). Raises EndpointNotFound, ServiceUnavailable."""
        _cannot("swagger")

    def package_endpoint(self, name: str, folder: Path, *, deployment: str = "") -> Path:
        """Write a self-contained folder that serves the deployment elsewhere (empty: the one with most traffic).

        Raises EndpointNotFound, Conflict when `folder` holds anything already.
        """
        _cannot("package_endpoint")

    def endpoint_logs(
        self, name: str, limit: int = 1000, *, level: str = "", request_id: str = ""
    ) -> tuple[LogLine, ...]:
        """The last `limit` lines of the server's log, oldest first, of at least `level` and about one request.

        Raises EndpointNotFound.
        """
        _cannot("endpoint_logs")

    def send_feedback(self, feedback: Feedback) -> None:
        """Keep what really happened to a scored row. Raises EndpointNotFound."""
        _cannot("send_feedback")

    # Proof

    def run_gate(
        self,
        endpoint: str,
        deployment: str = "",
        *,
        depth: str = "default",
        budget: GateBudget | None = None,
        by: str = "",
    ) -> Job:
        """Queue a gate for a deployment (empty: the only or the newest one), by its own budget unless told.

        It never changes traffic. Until it comes to a verdict, the last gate that did decides what `set_traffic` allows.
        Raises EndpointNotFound, SpecInvalid for a looser budget that nobody gives a name to in `by`.
        """
        _cannot("run_gate")

    def gate_progress(self, job_id: str) -> tuple[CheckResult, ...]:
        """What a gate has judged so far, in the order of its checks. Raises JobNotFound."""
        _cannot("gate_progress")

    def gate_reports(self, endpoint: str = "", deployment: str = "", limit: int = 50) -> tuple[GateReport, ...]:
        """Stored gate reports, newest first."""
        _cannot("gate_reports")

    def load_progress(self, job_id: str) -> LoadReport | None:
        """What a load test has met so far, once a second; None before its first figures. Raises JobNotFound."""
        _cannot("load_progress")

    def load_reports(self, limit: int = 50, *, endpoint: str = "") -> tuple[LoadReport, ...]:
        """The newest stored load reports, of one endpoint or of all."""
        _cannot("load_reports")

    # Telemetry

    def telemetry(
        self,
        endpoint: str,
        window_s: float = 3600.0,
        buckets: int = 60,
        *,
        origin: Origin | None = Origin.CLIENT,
    ) -> TelemetrySummary:
        """Requests, latency and errors over the last `window_s` seconds: clients', another origin's, or (None) all.

        Raises EndpointNotFound.
        """
        _cannot("telemetry")

    def requests(
        self, endpoint: str, limit: int = 100, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[RequestRecord, ...]:
        """The newest requests: clients', another origin's, or (None) all. Raises EndpointNotFound."""
        _cannot("requests")

    def drift(self, endpoint: str, window_s: float = 86_400.0) -> DriftReport:
        """Recent inputs against the training data. Raises EndpointNotFound, Conflict when no inputs are kept."""
        _cannot("drift")

    def set_alert(self, rule: AlertRule) -> Alert:
        """Create or change an alert. Raises EndpointNotFound."""
        _cannot("set_alert")

    def alerts(self) -> tuple[Alert, ...]:
        """All alerts with their state."""
        _cannot("alerts")

    # Pipelines and schedules

    def publish_pipeline(self, spec: PipelineSpec) -> PipelineEndpoint:
        """Publish a definition; the same definition again gives the version that exists."""
        _cannot("publish_pipeline")

    def pipelines(self) -> tuple[PipelineEndpoint, ...]:
        """All published pipelines."""
        _cannot("pipelines")

    def trigger_pipeline(
        self, pipeline: str, experiment_name: str, parameters: Mapping[str, Any] | None = None
    ) -> PipelineRun:
        """Start a run of a published pipeline, by its id or name. Raises PipelineNotFound, SpecInvalid."""
        _cannot("trigger_pipeline")

    def pipeline_run(self, run_id: str) -> PipelineRun:
        """A run with its steps. Raises JobNotFound."""
        _cannot("pipeline_run")

    def pipeline_runs(self, pipeline: str = "", limit: int = 50) -> tuple[PipelineRun, ...]:
        """The newest `limit` runs of one pipeline (id or name) or of all."""
        _cannot("pipeline_runs")

    def create_schedule(self, spec: ScheduleSpec) -> Schedule:
        """Create a schedule, enabled. Raises PipelineNotFound, SpecInvalid, Conflict."""
        _cannot("create_schedule")

    def schedules(self) -> tuple[Schedule, ...]:
        """All schedules with their next fire times."""
        _cannot("schedules")

    def enable_schedule(self, name: str, enabled: bool) -> Schedule:
        """Switch a schedule on or off. Raises PipelineNotFound."""
        _cannot("enable_schedule")

    def delete_schedule(self, name: str) -> None:
        """Remove a schedule; its runs stay. Raises PipelineNotFound."""
        _cannot("delete_schedule")

    # Administration

    def service_start(self) -> ServiceStatus:
        """Start the service, detached, unless it runs; wait until it answers. Raises ServiceUnavailable, PortInUse."""
        _cannot("service_start")

    def service_stop(self) -> ServiceStatus:
        """Stop the service and what it started; a running job resumes at the next start."""
        _cannot("service_stop")

    def service_status(self) -> ServiceStatus:
        """Whether the service runs, and what it does."""
        _cannot("service_status")

    def service_key(self) -> str:
        """The key of the service's HTTP door."""
        _cannot("service_key")

    def backup(self, path: Path) -> BackupReport:
        """Write everything that the workspace keeps to one file."""
        _cannot("backup")

    def restore(self, path: Path) -> BackupReport:
        """Replace an empty workspace by a backup. Raises Conflict when it is not empty."""
        _cannot("restore")

    def doctor(self) -> Iterator[Finding]:
        """Look at everything that could be wrong, one finding at a time."""
        _cannot("doctor")


VERBS: tuple[str, ...] = tuple(
    name for name, member in vars(Workspace).items() if callable(member) and not name.startswith("_")
)
"""Every verb of the protocol, in its order."""

BACKENDS: Mapping[str, tuple[str, str]] = {
    "local": ("core.local.workspace:LocalWorkspace", "make setup"),
}
"""Name -> (class, how to install what it needs). Imported only when chosen."""


def open_workspace(settings: Settings) -> Workspace:
    """The workspace that the settings name. Raises BackendMissing."""
    if settings.workspace not in BACKENDS:
        raise BackendMissing(
            f"There is no workspace '{settings.workspace}' here", hint=f"Choose one of: {', '.join(sorted(BACKENDS))}"
        )
    path, install = BACKENDS[settings.workspace]
    module, _, name = path.partition(":")
    try:
        backend = getattr(import_module(module), name)
    except ModuleNotFoundError as e:
        raise BackendMissing(f"The workspace '{settings.workspace}' needs {e.name}", hint=install) from e
    workspace: Workspace = backend(settings)
    return workspace
