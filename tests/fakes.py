"""Doubles with queues: plain values in, plain values out, and failures when a test asks for them."""

import json
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from quickstart_fakes import SIGNATURE

from core.domain.data import AS_FOUND, DataAsset, DataRef, DataSource, Reading, TableProfile, TableSample
from core.domain.endpoint import (
    Deployment,
    DeploymentSpec,
    DeploymentState,
    Endpoint,
    EndpointKeys,
    EndpointLimits,
    EndpointSpec,
    EndpointState,
    GateBudget,
    GateState,
    ScoreReply,
)
from core.domain.errors import (
    Conflict,
    DataNotFound,
    EndpointNotFound,
    GateRefused,
    JobNotFound,
    ModelNotFound,
    PipelineNotFound,
    SlipwayError,
)
from core.domain.job import BatchSpec, Job, JobKind, JobState, LogLine
from core.domain.model import Model
from core.domain.monitoring import Origin, RequestRecord, ServiceStatus, TelemetrySummary
from core.domain.pipeline import PipelineEndpoint, PipelineRun, PipelineSpec, StepRun
from core.domain.proof import CheckResult, GateReport, LoadReport, LoadSpec, Target
from core.domain.training import Algorithm, TrainingSpec, Trial, TrialDetail, TrialState
from core.settings import Settings
from core.workspace import Workspace

Verb = TypeVar("Verb", bound=Callable[..., Any])


def verb(method: Verb) -> Verb:
    """Note the call, then raise the failure that a test queued for this verb, if any."""

    @wraps(method)
    def called(self: "FakeWorkspace", *args: Any, **kwargs: Any) -> Any:
        self.calls.append((method.__name__, args))
        self.named[method.__name__].append(kwargs)
        if self.broken is not None:
            raise self.broken
        if self.failures[method.__name__]:
            raise self.failures[method.__name__].popleft()
        return method(self, *args, **kwargs)

    return called  # type: ignore[return-value]  # wraps keeps the signature


class FakeWorkspace(Workspace):
    """A workspace in memory: the values a test puts in are the values the verbs give.

    `broken` makes every verb raise; `failures[verb]` is a queue of errors for the next calls of one verb.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.named: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.broken: SlipwayError | None = None
        self.failures: dict[str, deque[SlipwayError]] = defaultdict(deque)
        self.assets: list[DataAsset] = []
        self.profiles: dict[DataRef, TableProfile] = {}
        self.samples: dict[DataRef, TableSample] = {}
        self.jobs: list[Job] = []
        self.job_trials: dict[str, list[Trial]] = defaultdict(list)
        self.logs: dict[str, list[LogLine]] = defaultdict(list)
        self.outputs: dict[str, Path] = {}
        self.judged: dict[str, list[CheckResult]] = defaultdict(list)
        self.progress: dict[str, LoadReport] = {}
        self.models: list[Model] = []
        self.endpoints: list[Endpoint] = []
        self.replies: deque[ScoreReply] = deque()
        self.summaries: dict[str, TelemetrySummary] = {}
        self.records: dict[str, list[RequestRecord]] = defaultdict(list)
        self.gates: list[GateReport] = []
        self.loads: list[LoadReport] = []
        self.published: list[PipelineEndpoint] = []
        self.runs: list[PipelineRun] = []
        self.service = ServiceStatus(True, 4242, "http://127.0.0.1:8700", time.time(), "0.1.0", str(settings.home))

    def called(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of each call of one verb."""
        return [args for verb_name, args in self.calls if verb_name == name]

    def kwargs(self, name: str) -> list[dict[str, Any]]:
        """The arguments given by name in each call of one verb."""
        return self.named[name]

    @verb
    def register_data(self, name: str, source: str, reading: Reading = AS_FOUND) -> DataAsset:
        asset = DataAsset(
            name, 1, DataSource.FILE, source, 3, ("age", "y"), "ab" * 32, 900, f"/data/{name}.parquet", time.time()
        )
        self.assets.insert(0, asset)
        return asset

    @verb
    def list_data(self) -> tuple[DataAsset, ...]:
        return tuple(self.assets)

    @verb
    def data(self, ref: DataRef) -> DataAsset:
        for asset in self.assets:
            if asset.name == ref.name and ref.version in (0, asset.version):
                return asset
        raise DataNotFound(f"There is no data asset {ref}", hint="Register it on the Explore page")

    @verb
    def profile(self, ref: DataRef, target: str = "") -> TableProfile:
        return self.profiles[ref]

    @verb
    def sample(self, ref: DataRef, rows: int = 20) -> TableSample:
        return self.samples[ref]

    @verb
    def submit(self, spec: TrainingSpec | BatchSpec | LoadSpec, *, parent_id: str = "") -> Job:
        if isinstance(spec, BatchSpec):
            return self._queue(JobKind.BATCH, "batch", asdict(spec))
        if isinstance(spec, LoadSpec):
            name = next(e.name for e in self.endpoints if e.listens_at(spec.target.url))
            return self._queue(JobKind.LOADTEST, "loadtest", asdict(spec) | {"endpoint": name})
        plain = {
            "data": {"name": spec.data.name, "version": spec.data.version},
            "target": spec.target,
            "timeout_s": spec.timeout_s,
            "primary_metric": spec.primary_metric,
            "exclude": list(spec.exclude),
        }
        return self._queue(JobKind.AUTOML, spec.experiment_name, plain)

    def _queue(self, kind: JobKind, experiment: str, spec: Mapping[str, Any]) -> Job:
        job = Job(
            f"01990000-0000-7000-8000-{len(self.jobs):012x}",
            kind,
            JobState.QUEUED,
            experiment,
            "local",
            spec,
            time.time(),
        )
        self.jobs.insert(0, job)
        return job

    @verb
    def job(self, job_id: str) -> Job:
        return self._known(job_id)

    @verb
    def list_jobs(
        self,
        kind: JobKind | None = None,
        limit: int = 100,
        *,
        endpoint: str = "",
        experiment_name: str = "",
        data: DataRef | None = None,
    ) -> tuple[Job, ...]:
        read = None if data is None else {"name": data.name, "version": data.version}
        found = (j for j in self.jobs if kind in (None, j.kind) and endpoint in ("", j.spec.get("endpoint")))
        found = (j for j in found if experiment_name in ("", j.experiment_name) and read in (None, j.spec.get("data")))
        return tuple(found)[:limit]

    @verb
    def cancel_job(self, job_id: str) -> Job:
        job = self._known(job_id)
        state = JobState.CANCELED if job.state is JobState.QUEUED else job.state
        return self._changed(job, state=state, cancel_requested=True)

    def work(self) -> None:
        """Do all that is queued, as a service would: trainings find one model, gates pass, first ones get traffic."""
        for job in [job for job in self.jobs if job.state is JobState.QUEUED]:
            done = self._changed(job, state=JobState.SUCCEEDED, attempt=1)
            if job.kind is JobKind.AUTOML:
                metrics = {"AUC_weighted": 0.94}
                best = Trial(0, Algorithm.LIGHTGBM, TrialState.SUCCEEDED, metrics=metrics, duration_s=1.0)
                self.job_trials[job.id] = [best]
                self._changed(done, result={"best": {"number": 0, "algorithm": best.algorithm, "metrics": metrics}})
            elif job.kind is JobKind.GATE:
                self._pass(job)

    def _pass(self, job: Job) -> None:
        name, passed = job.spec["deployment"], (CheckResult("parity", "parity", True, "0.0"),)
        now = self._endpoint(job.spec["endpoint"])
        proven = tuple(replace(d, gate=GateState.PASSED) if d.name == name else d for d in now.deployments)
        model = next(f"{d.model}:{d.model_version}" for d in proven if d.name == name)
        report = GateReport(job.id, now.name, name, model, passed, GateBudget(), "default", time.time(), 1.0)
        self.gates.insert(0, report)
        traffic = now.traffic or {name: 100}
        self._change(now, deployments=proven, traffic=traffic, state=EndpointState.READY, settled=True)

    def _known(self, job_id: str) -> Job:
        for job in self.jobs:
            if job.id == job_id:
                return job
        raise JobNotFound(f"There is no job {job_id}")

    def _changed(self, job: Job, **values: Any) -> Job:
        self.jobs[self.jobs.index(job)] = changed = replace(job, **values)
        return changed

    @verb
    def trials(self, job_id: str) -> tuple[Trial, ...]:
        self._known(job_id)
        return tuple(self.job_trials[job_id])

    @verb
    def trial_detail(self, job_id: str, number: int) -> TrialDetail:
        self._known(job_id)
        trial = next(t for t in self.job_trials[job_id] if t.number == number)
        return TrialDetail(trial, job_id, ("fold 1 of 3: AUC_weighted 0.9461", "fold 2 of 3: AUC_weighted 0.9476"))

    @verb
    def job_output(self, job_id: str) -> Path:
        return self.outputs[job_id]

    @verb
    def job_logs(self, job_id: str, limit: int = 1000) -> tuple[LogLine, ...]:
        self._known(job_id)
        return tuple(self.logs[job_id])[-limit:]

    @verb
    def register_model(self, name: str, job_id: str) -> Model:
        job = self._known(job_id)
        if job.state is not JobState.SUCCEEDED:
            raise Conflict(f"Job '{job_id}' ({job.kind}, {job.state}) has no model to register")
        for model in self.models:
            if (model.name, model.job_id) == (name, job_id):
                return model
        version = 1 + max((m.version for m in self.models if m.name == name), default=0)
        signature = self.models[0].signature if self.models else SIGNATURE
        data = DataRef(**job.spec["data"])
        model = Model(name, version, job_id, 0, Algorithm.LIGHTGBM, {}, data, signature, "folder", 1, time.time())
        self.models.insert(0, model)
        return model

    @verb
    def list_models(self) -> tuple[Model, ...]:
        return tuple(self.models)

    @verb
    def model(self, name: str, version: int = 0) -> Model:
        return self._model(name, version)

    def _model(self, name: str, version: int) -> Model:
        for model in self.models:
            if model.name == name and version in (0, model.version):
                return model
        raise ModelNotFound(f"There is no model {name}:{version}")

    @verb
    def list_endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(self.endpoints)

    @verb
    def endpoint(self, name: str) -> Endpoint:
        return self._endpoint(name)

    def _endpoint(self, name: str) -> Endpoint:
        for endpoint in self.endpoints:
            if endpoint.name == name:
                return endpoint
        raise EndpointNotFound(f"There is no endpoint '{name}'")

    def _change(self, endpoint: Endpoint, **values: Any) -> Endpoint:
        self.endpoints[self.endpoints.index(endpoint)] = changed = replace(endpoint, **values)
        return changed

    @verb
    def deploy(self, spec: DeploymentSpec) -> Deployment:
        version = self._model(spec.model, spec.model_version).version
        name = spec.name or f"v{version}"
        gate = self._queue(JobKind.GATE, "gate", {"endpoint": spec.endpoint, "deployment": name, "depth": "default"})
        deployment = Deployment(
            name,
            spec.endpoint,
            spec.model,
            version,
            DeploymentState.STARTING,
            GateState.QUEUED,
            time.time(),
            gate_job_id=gate.id,
        )
        known = next((e for e in self.endpoints if e.name == spec.endpoint), None)
        if known is None:
            EndpointSpec(spec.endpoint)
            uri = "http://127.0.0.1:8701"
            known = Endpoint(
                spec.endpoint,
                EndpointState.STARTING,
                f"{uri}/score",
                f"{uri}/swagger.json",
                8701,
                {},
                {},
                (),
                EndpointLimits(),
                time.time(),
            )
        else:
            self.endpoints.remove(known)
        self.endpoints.insert(0, replace(known, deployments=(*known.deployments, deployment)))
        return deployment

    @verb
    def set_traffic(
        self,
        endpoint: str,
        traffic: Mapping[str, int],
        mirror: Mapping[str, int] | None = None,
        *,
        force: bool = False,
        by: str = "",
    ) -> Endpoint:
        now = self._endpoint(endpoint)
        if unknown := sorted(set(traffic) - {deployment.name for deployment in now.deployments}):
            raise EndpointNotFound(f"Endpoint '{endpoint}' has no deployment '{unknown[0]}'")
        for deployment in now.deployments:
            if traffic.get(deployment.name, 0) and deployment.gate is not GateState.PASSED and not force:
                raise GateRefused(f"The gate of '{deployment.name}' has not passed", hint="See the Quality page")
        return self._change(now, traffic=dict(traffic), mirror=dict(mirror or {}))

    @verb
    def update_endpoint(self, name: str, changes: Mapping[str, Any]) -> Endpoint:
        now = self._endpoint(name)
        return self._change(now, limits=now.limits.changed(changes))

    @verb
    def delete_deployment(self, endpoint: str, name: str) -> None:
        now = self._endpoint(endpoint)
        if now.traffic.get(name):
            raise Conflict(f"Deployment '{name}' has traffic", hint="Take its traffic away first")
        self._change(now, deployments=tuple(d for d in now.deployments if d.name != name))

    @verb
    def delete_endpoint(self, name: str) -> None:
        self.endpoints.remove(self._endpoint(name))
        for job in [j for j in self.jobs if j.state is JobState.QUEUED and j.spec.get("endpoint") == name]:
            self._changed(job, state=JobState.CANCELED)

    @verb
    def swagger(self, endpoint: str, version: str = "2") -> Mapping[str, Any]:
        self._endpoint(endpoint)
        return {"swagger": "2.0", "info": {"title": endpoint}, "paths": {}}

    @verb
    def endpoint_keys(self, name: str) -> EndpointKeys:
        self._endpoint(name)
        return EndpointKeys("primary-key-of-the-fake", "secondary-key-of-the-fake")

    @verb
    def rotate_key(self, name: str, which: str) -> EndpointKeys:
        self._endpoint(name)
        return EndpointKeys("a-new-primary-key", "secondary-key-of-the-fake")

    @verb
    def endpoint_target(self, name: str, origin: Origin) -> Target:
        endpoint = self._endpoint(name)
        return Target(endpoint.scoring_uri.removesuffix("/score"), f"the key of {origin}")

    @verb
    def invoke(self, name: str, body: bytes, *, deployment: str = "", origin: Origin = Origin.CLIENT) -> ScoreReply:
        known = self._endpoint(name)
        if self.replies:
            return self.replies.popleft()
        asked, labels = json.loads(body), self._labels(known)
        rows = len(asked["data"])
        result: list[Any] = [[0.732, 0.268]] * rows if asked.get("method") == "predict_proba" else [labels[0]] * rows
        answered = deployment or next((d for d, percent in known.traffic.items() if percent), "v3")
        at, request_id = time.time(), f"request-{len(self.records[name])}"
        self.records[name].insert(0, RequestRecord(at, request_id, answered, 200, rows, 2.41, len(body), 33, origin))
        headers = {"azureml-model-deployment": answered, "x-request-id": request_id}
        return ScoreReply(200, {"result": result}, headers, 2.41)

    def _labels(self, endpoint: Endpoint) -> tuple[Any, ...]:
        served = {(d.model, d.model_version) for d in endpoint.deployments}
        model = next((m for m in self.models if (m.name, m.version) in served), None)
        return model.signature.classes if model else ("no", "yes")

    @verb
    def endpoint_logs(
        self, name: str, limit: int = 1000, *, level: str = "", request_id: str = ""
    ) -> tuple[LogLine, ...]:
        self._endpoint(name)
        found = (line for line in self.logs[name] if level in ("", line.level) and request_id in line.text)
        return tuple(found)[-limit:]

    @verb
    def run_gate(
        self,
        endpoint: str,
        deployment: str = "",
        *,
        depth: str = "default",
        budget: GateBudget | None = None,
        by: str = "",
    ) -> Job:
        self._endpoint(endpoint)
        return self._queue(JobKind.GATE, "gate", {"endpoint": endpoint, "deployment": deployment, "depth": depth})

    @verb
    def gate_progress(self, job_id: str) -> tuple[CheckResult, ...]:
        self._known(job_id)
        return tuple(self.judged[job_id])

    @verb
    def gate_reports(self, endpoint: str = "", deployment: str = "", limit: int = 50) -> tuple[GateReport, ...]:
        kept = (r for r in self.gates if endpoint in ("", r.endpoint) and deployment in ("", r.deployment))
        return tuple(kept)[:limit]

    @verb
    def load_progress(self, job_id: str) -> LoadReport | None:
        self._known(job_id)
        return self.progress.get(job_id)

    @verb
    def load_reports(self, limit: int = 50, *, endpoint: str = "") -> tuple[LoadReport, ...]:
        return tuple(load for load in self.loads if endpoint in ("", load.endpoint))[:limit]

    @verb
    def telemetry(
        self, endpoint: str, window_s: float = 3600.0, buckets: int = 60, *, origin: Origin | None = Origin.CLIENT
    ) -> TelemetrySummary:
        self._endpoint(endpoint)
        now, records = time.time(), [r for r in self.records[endpoint] if origin in (None, r.origin)]
        rows, counts = sum(one.rows for one in records), Counter(one.deployment for one in records)
        own = TelemetrySummary(
            endpoint, now - window_s, now, len(records), rows, None, None, None, by_deployment=counts
        )
        return self.summaries.get(endpoint, own)

    @verb
    def requests(
        self, endpoint: str, limit: int = 100, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[RequestRecord, ...]:
        self._endpoint(endpoint)
        return tuple(r for r in self.records[endpoint] if origin in (None, r.origin))[:limit]

    @verb
    def publish_pipeline(self, spec: PipelineSpec) -> PipelineEndpoint:
        uri = f"{self.service.url}/pipelines/p-{len(self.published) + 1}"
        pipeline = PipelineEndpoint(uri.rpartition("/")[2], spec.name, 1, spec, uri, True, time.time())
        self.published.insert(0, pipeline)
        return pipeline

    @verb
    def pipelines(self) -> tuple[PipelineEndpoint, ...]:
        return tuple(self.published)

    @verb
    def trigger_pipeline(
        self, pipeline: str, experiment_name: str, parameters: Mapping[str, Any] | None = None
    ) -> PipelineRun:
        for known in self.published:
            if pipeline in (known.id, known.name):
                steps = tuple(StepRun(s.name, s.kind, JobState.QUEUED) for s in known.spec.steps)
                run = PipelineRun(
                    f"r-{len(self.runs) + 1}", known.name, 1, experiment_name, JobState.QUEUED, steps, time.time()
                )
                self.runs.insert(0, run)
                return run
        raise PipelineNotFound(f"There is no pipeline '{pipeline}'")

    @verb
    def pipeline_run(self, run_id: str) -> PipelineRun:
        for run in self.runs:
            if run.id == run_id:
                return run
        raise JobNotFound(f"There is no run {run_id}")

    @verb
    def pipeline_runs(self, pipeline: str = "", limit: int = 50) -> tuple[PipelineRun, ...]:
        names = {p.name for p in self.published if pipeline in ("", p.id, p.name)}
        return tuple(r for r in self.runs if r.pipeline in names)[:limit]

    @verb
    def service_start(self) -> ServiceStatus:
        self.service = replace(self.service, running=True)
        return self.service

    @verb
    def service_status(self) -> ServiceStatus:
        return self.service


OPENED: dict[Path, FakeWorkspace] = {}
"""Fakes by their home, so that an app which opens its workspace from settings meets the test's own."""


def open_fake(settings: Settings) -> FakeWorkspace:
    """A `BACKENDS` entry: the fake prepared for these settings' home, or an empty one."""
    return OPENED.setdefault(settings.home, FakeWorkspace(settings))
