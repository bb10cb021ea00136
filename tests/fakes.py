"""Doubles with queues: plain values in, plain values out, and failures when a test asks for them."""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import wraps
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import judged
import monitored
from quickstart_fakes import NO_JSON, SIGNATURE, Double, understood

from core.definitions.fires import check_schedule, next_fires
from core.definitions.pipelines import plan
from core.definitions.schedule_words import schedule_words
from core.domain.alerts import Alert, AlertEvent, AlertRule, AlertState, UnreadableAlert
from core.domain.batch import BatchSpec
from core.domain.data import (
    AS_FOUND,
    AvailableTable,
    DataAsset,
    DataRef,
    DataSource,
    Lineage,
    Reading,
    TableProfile,
    TableSample,
)
from core.domain.drift import DriftReport, Predictions
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
    check_expected,
    check_limits,
)
from core.domain.errors import (
    AlertNotFound,
    Conflict,
    DataNotFound,
    EndpointNotFound,
    GateRefused,
    JobNotFound,
    ModelNotFound,
    PipelineNotFound,
    SlipwayError,
)
from core.domain.explanation import (
    Explanation,
    Fairness,
    Importance,
    MetricSpread,
    PairedDifference,
    PartialDependence,
    ThresholdTable,
    TrialCurves,
    Winner,
)
from core.domain.job import Job, JobKind, JobSpec, JobState, LogLine, kind_of
from core.domain.model import Model
from core.domain.monitoring import (
    Availability,
    DeploymentCourse,
    DeploymentTraffic,
    Disagreement,
    ExceptionGroup,
    Origin,
    Refusal,
    RequestQuery,
    RequestRecord,
    ServiceStatus,
    TelemetrySummary,
)
from core.domain.outcomes import FeedbackReceipt, LiveQuality, Outcome
from core.domain.pipeline import PipelineEndpoint, PipelineSpec
from core.domain.proof import CheckResult, GateProgress, GateReport, GateSpec, LoadReport, LoadSpec, Target
from core.domain.run import Artifact, PipelineRun, RunOrigin, RunSummary, StepRun, StepState
from core.domain.schedule import Fire, FireOutcome, Schedule, ScheduleSpec
from core.domain.signature import Scalar, Signature
from core.domain.training import Algorithm, BestTrial, TrainingResult, TrainingSpec, Trial, TrialDetail, TrialState
from core.settings import Settings
from core.workspace import Workspace
from core.workspace.collection import Collection
from core.workspace.data import DataAssets
from core.workspace.endpoints import Endpoints
from core.workspace.jobs import Jobs
from core.workspace.models import Models
from core.workspace.pace import Pace
from core.workspace.pipelines import NO_CODE, Pipelines
from core.workspace.proofs import Proofs
from core.workspace.records import Records
from core.workspace.schedules import Schedules
from core.workspace.service import Service

Verb = TypeVar("Verb", bound=Callable[..., Any])


def verb(method: Verb) -> Verb:
    """Note the call, then raise the failure that a test queued for this verb, if any."""

    @wraps(method)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        memory, name = self._memory, f"{self.noun}.{method.__name__}"
        memory.calls.append((name, args))
        memory.named[name].append(kwargs)
        if memory.broken is not None:
            raise memory.broken
        if memory.failures[name]:
            raise memory.failures[name].popleft()
        return method(self, *args, **kwargs)

    return called  # type: ignore[return-value]  # wraps keeps the signature


class FakeWorkspace:
    """A workspace in memory: the values a test puts in are the values the verbs give.

    `broken` makes every verb raise; `failures[verb]` is a queue of errors for the next calls of one verb.
    `workspace` is what is opened: the `whole` one, unless a test takes something from it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.named: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.broken: SlipwayError | None = None
        self.failures: dict[str, deque[SlipwayError]] = defaultdict(deque)
        self.assets: list[DataAsset] = []
        self.available = [AvailableTable("bank-marketing", DataSource.TWIN, "synthetic twin of Bank Marketing")]
        self.profiles: dict[DataRef, TableProfile] = {}
        self.samples: dict[DataRef, TableSample] = {}
        self.jobs: list[Job] = []
        self.job_trials: dict[str, list[Trial]] = defaultdict(list)
        self.curves = judged.curves()
        self.logs: dict[str, list[LogLine]] = defaultdict(list)
        self.outputs: dict[str, Path] = {}
        self.judged: dict[str, list[CheckResult]] = defaultdict(list)
        self.parts_over: dict[str, list[str]] = defaultdict(list)
        self.progress: dict[str, LoadReport] = {}
        self.models: list[Model] = []
        self.endpoints: list[Endpoint] = []
        self.replies: deque[ScoreReply] = deque()
        self.summaries: dict[str, TelemetrySummary] = {}
        self.records: dict[str, list[RequestRecord]] = defaultdict(list)
        self.monitored = monitored.Monitored()
        self.gates: list[GateReport] = []
        self.loads: list[LoadReport] = []
        self.published: list[PipelineEndpoint] = []
        self.runs: list[PipelineRun] = []
        self.schedules: dict[str, Schedule] = {}
        self.fires: dict[str, list[Fire]] = defaultdict(list)
        self.lineage: dict[Artifact, dict[str, bool]] = defaultdict(dict)
        self.service = ServiceStatus(True, 4242, "http://127.0.0.1:8700", time.time(), "0.1.0", str(settings.home))
        self.whole = self.workspace = Double(
            settings,
            data=FakeDataAssets(self),
            jobs=FakeJobs(self),
            models=FakeModels(self),
            endpoints=FakeEndpoints(self),
            proofs=FakeProofs(self),
            records=FakeRecords(self),
            pipelines=FakePipelines(self),
            schedules=FakeSchedules(self),
            service=FakeService(self),
        )

    def called(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of each call of one verb."""
        return [args for verb_name, args in self.calls if verb_name == name]

    def move(self, run_id: str, **values: Any) -> PipelineRun:
        """Change a run, as a service would."""
        place = next(i for i, run in enumerate(self.runs) if run.id == run_id)
        self.runs[place] = replace(self.runs[place], **values)
        return self.runs[place]

    def kwargs(self, name: str) -> list[dict[str, Any]]:
        """The arguments given by name in each call of one verb."""
        return self.named[name]

    def _queue(self, experiment: str, spec: JobSpec) -> Job:
        job = Job(
            f"01990000-0000-7000-8000-{len(self.jobs):012x}",
            kind_of(spec),
            JobState.QUEUED,
            experiment,
            "local",
            spec,
            time.time(),
        )
        self.jobs.insert(0, job)
        return job

    def work(self) -> None:
        """Do all that is queued, as a service would: trainings find one model, gates pass, first ones get traffic."""
        for job in [job for job in self.jobs if job.state is JobState.QUEUED]:
            done = self._changed(job, state=JobState.SUCCEEDED, attempt=1)
            if job.kind is JobKind.AUTOML:
                metrics = {"AUC_weighted": 0.94}
                best = Trial(0, Algorithm.LIGHTGBM, TrialState.SUCCEEDED, metrics=metrics, duration_s=1.0)
                self.job_trials[job.id] = [best]
                self._changed(done, result=TrainingResult(BestTrial(0, best.algorithm, metrics)))
            elif job.kind is JobKind.GATE:
                self._pass(job)

    def _pass(self, job: Job) -> None:
        assert isinstance(job.spec, GateSpec)
        name, passed = job.spec.deployment, (CheckResult("parity", "parity", True, "0.0"),)
        now = self._endpoint(job.spec.endpoint)
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

    def _model(self, name: str, version: int) -> Model:
        for model in self.models:
            if model.name == name and version in (0, model.version):
                return model
        raise ModelNotFound(f"There is no model {name}:{version}")

    def _endpoint(self, name: str) -> Endpoint:
        for endpoint in self.endpoints:
            if endpoint.name == name:
                return endpoint
        raise EndpointNotFound(f"There is no endpoint '{name}'")

    def _change(self, endpoint: Endpoint, **values: Any) -> Endpoint:
        self.endpoints[self.endpoints.index(endpoint)] = changed = replace(endpoint, **values)
        return changed

    def _labels(self, endpoint: Endpoint) -> tuple[Any, ...]:
        served = {(d.model, d.model_version) for d in endpoint.deployments}
        model = next((m for m in self.models if (m.name, m.version) in served), None)
        return model.signature.classes if model else ("no", "yes")


class FakeDataAssets(DataAssets):
    def __init__(self, memory: FakeWorkspace) -> None:
        self._memory = memory

    @verb
    def register(self, name: str, source: str, reading: Reading = AS_FOUND) -> DataAsset:
        asset = DataAsset(name or source, 1, DataSource.FILE, source, 3, ("age", "y"), "ab" * 32, 900, time.time())
        self._memory.assets.insert(0, asset)
        return asset

    @verb
    def upload(self, name: str, filename: str, stream: BinaryIO, reading: Reading = AS_FOUND) -> DataAsset:
        size = len(stream.read())
        named = name or Path(filename).stem
        asset = DataAsset(named, 1, DataSource.UPLOAD, filename, 3, ("age", "y"), "cd" * 32, size, time.time())
        self._memory.assets.insert(0, asset)
        return asset

    @verb
    def read_again(self, ref: DataRef, reading: Reading) -> DataAsset:
        asset = self.get(ref)
        newest = max(a.version for a in self._memory.assets if a.name == asset.name)
        again = replace(asset, version=newest + 1, reading=reading)
        self._memory.assets.insert(0, again)
        return again

    @verb
    def available(self) -> tuple[AvailableTable, ...]:
        return tuple(self._memory.available)

    @verb
    def delete(self, ref: DataRef, *, all_versions: bool = False) -> tuple[DataRef, ...]:
        asset = self.get(ref)
        gone = [a for a in self._memory.assets if a.name == asset.name and (all_versions or a == asset)]
        self._memory.assets = [a for a in self._memory.assets if a not in gone]
        return tuple(a.ref for a in gone)

    @verb
    def list(self) -> tuple[DataAsset, ...]:
        return tuple(self._memory.assets)

    @verb
    def get(self, ref: DataRef) -> DataAsset:
        for asset in self._memory.assets:
            if asset.name == ref.name and ref.version in (0, asset.version):
                return asset
        raise DataNotFound(f"There is no data asset {ref}", hint="Register it on the Explore page")

    @verb
    def profile(self, ref: DataRef, target: str = "") -> TableProfile:
        return self._memory.profiles[ref]

    @verb
    def sample(self, ref: DataRef, rows: int = 20) -> TableSample:
        return self._memory.samples[ref]

    @verb
    def lineage(self, ref: DataRef) -> Lineage:
        models = [m for m in self._memory.models if m.data == ref]
        kept = {(m.name, m.version) for m in models}
        return Lineage(
            data=ref,
            jobs=tuple(j.id for j in self._memory.jobs if getattr(j.spec, "data", None) == ref),
            models=tuple(m.ref for m in models),
            deployments=tuple(
                f"{e.name}/{d.name}"
                for e in self._memory.endpoints
                for d in e.deployments
                if (d.model, d.model_version) in kept
            ),
        )


class FakeJobs(Jobs):
    def __init__(self, memory: FakeWorkspace) -> None:
        self._memory = memory

    @verb
    def submit(self, spec: TrainingSpec | BatchSpec | LoadSpec, *, parent_id: str = "") -> Job:
        if isinstance(spec, LoadSpec):
            name = next(e.name for e in self._memory.endpoints if e.listens_at(spec.target.url))
            return self._memory._queue("loadtest", replace(spec, endpoint=name))
        return self._memory._queue(spec.experiment_name, spec)

    @verb
    def submit_file(self, spec: BatchSpec, stream: BinaryIO) -> Job:
        stream.read()
        return self._memory._queue(spec.experiment_name, spec)

    @verb
    def get(self, job_id: str) -> Job:
        return self._memory._known(job_id)

    @verb
    def list(
        self,
        kind: JobKind | None = None,
        limit: int = 100,
        *,
        endpoint: str = "",
        experiment_name: str = "",
        data: DataRef | None = None,
    ) -> tuple[Job, ...]:
        found = (j for j in self._memory.jobs if kind in (None, j.kind))
        found = (j for j in found if endpoint in ("", getattr(j.spec, "endpoint", None)))
        found = (j for j in found if experiment_name in ("", j.experiment_name))
        found = (j for j in found if data in (None, getattr(j.spec, "data", None)))
        return tuple(found)[:limit]

    @verb
    def cancel(self, job_id: str) -> Job:
        job = self._memory._known(job_id)
        state = JobState.CANCELED if job.state is JobState.QUEUED else job.state
        return self._memory._changed(job, state=state, cancel_requested=True)

    @verb
    def trials(self, job_id: str) -> tuple[Trial, ...]:
        self._memory._known(job_id)
        return tuple(self._memory.job_trials[job_id])

    @verb
    def trial(self, job_id: str, number: int) -> TrialDetail:
        self._memory._known(job_id)
        trial = next(t for t in self._memory.job_trials[job_id] if t.number == number)
        return TrialDetail(trial, job_id, ("fold 1 of 3: AUC_weighted 0.9461", "fold 2 of 3: AUC_weighted 0.9476"))

    @verb
    def cancel_trial(self, job_id: str, number: int) -> Trial:
        trials = self._memory.job_trials[job_id]
        at = next(at for at, trial in enumerate(trials) if trial.number == number)
        trials[at] = replace(trials[at], state=TrialState.STOPPED, error="Canceled")
        return trials[at]

    @verb
    def extend(self, job_id: str, timeout_s: float) -> Job:
        spec = self._memory._known(job_id).spec
        assert isinstance(spec, TrainingSpec)
        return self._memory._queue(spec.experiment_name, replace(spec, timeout_s=timeout_s))

    @verb
    def winner(self, job_id: str) -> Winner:
        return judged.WINNER

    @verb
    def compare_pair(self, first: tuple[str, int], second: tuple[str, int], metric: str = "") -> PairedDifference:
        return judged.pair(first[1], second[1])

    @verb
    def curves(self, job_id: str, number: int) -> TrialCurves:
        return self._memory.curves

    @verb
    def thresholds(self, job_id: str, number: int, class_name: Scalar | None = None) -> ThresholdTable:
        return judged.thresholds()

    @verb
    def fold_metrics(self, job_id: str, number: int) -> tuple[MetricSpread, ...]:
        return judged.FOLDS

    @verb
    def importance(self, job_id: str, number: int) -> Importance:
        return judged.IMPORTANCE

    @verb
    def partial_dependence(
        self, job_id: str, number: int, column: str, class_name: Scalar | None = None
    ) -> PartialDependence:
        return judged.dependence(column)

    @verb
    def fairness(
        self, job_id: str, number: int, column: str, threshold: float | None = None, class_name: Scalar | None = None
    ) -> Fairness:
        return judged.fairness(column, 0.5 if threshold is None else threshold)

    @verb
    def explain(
        self, job_id: str, number: int, row: Mapping[str, Any], class_name: Scalar | None = None
    ) -> Explanation:
        return judged.explanation(row)

    @verb
    def signature(self, job_id: str) -> Signature:
        return self._memory.models[0].signature if self._memory.models else SIGNATURE

    @verb
    def open_output(self, job_id: str) -> BinaryIO:
        return self._memory.outputs[job_id].open("rb")

    @verb
    def logs(self, job_id: str, limit: int = 1000) -> tuple[LogLine, ...]:
        self._memory._known(job_id)
        return tuple(self._memory.logs[job_id])[-limit:]


class FakeModels(Models):
    def __init__(self, memory: FakeWorkspace) -> None:
        self._memory = memory

    @verb
    def register(self, name: str, job_id: str, trial: int | None = None) -> Model:
        job = self._memory._known(job_id)
        chosen = self._trial(job, trial)
        for model in self._memory.models:
            if (model.name, model.job_id, model.trial) == (name, job_id, chosen.number):
                return model
        version = 1 + max((m.version for m in self._memory.models if m.name == name), default=0)
        signature = self._memory.models[0].signature if self._memory.models else SIGNATURE
        assert isinstance(job.spec, TrainingSpec)
        data = job.spec.data
        number, algorithm = chosen.number, chosen.algorithm
        model = Model(name, version, job_id, number, algorithm, chosen.metrics, data, signature, 1, time.time())
        self._memory.models.insert(0, model)
        return model

    def _trial(self, job: Job, number: int | None) -> Trial:
        trials = self._memory.job_trials[job.id]
        if number is not None:
            chosen = next((trial for trial in trials if trial.number == number), None)
            if chosen is None:
                raise JobNotFound(f"Job '{job.id}' has no trial {number}")
            if chosen.state is not TrialState.SUCCEEDED:
                raise Conflict(
                    f"Trial {number} {chosen.state}: it did not produce a model", hint="Register another trial"
                )
            return chosen
        scored = [trial for trial in trials if trial.metrics] if job.state.final else []
        if not scored:
            raise Conflict(f"Job '{job.id}' ({job.kind}, {job.state}) has no model to register")
        return max(scored, key=lambda trial: trial.metrics["AUC_weighted"])

    @verb
    def list(self, *, job_id: str = "") -> tuple[Model, ...]:
        return tuple(model for model in self._memory.models if job_id in ("", model.job_id))

    @verb
    def explain(self, name: str, version: int, row: Mapping[str, Any], class_name: Scalar | None = None) -> Explanation:
        self._memory._model(name, version)
        return judged.explanation(row)

    @verb
    def get(self, name: str, version: int = 0) -> Model:
        return self._memory._model(name, version)


class FakeEndpoints(Endpoints):
    def __init__(self, memory: FakeWorkspace) -> None:
        self._memory = memory

    @verb
    def list(self) -> tuple[Endpoint, ...]:
        return tuple(self._memory.endpoints)

    @verb
    def get(self, name: str) -> Endpoint:
        return self._memory._endpoint(name)

    @verb
    def deploy(self, spec: DeploymentSpec) -> Deployment:
        version = self._memory._model(spec.model, spec.model_version).version
        name = spec.name or f"v{version}"
        gate = self._memory._queue("gate", GateSpec(spec.endpoint, name))
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
        known = next((e for e in self._memory.endpoints if e.name == spec.endpoint), None)
        if known is None:
            EndpointSpec(spec.endpoint)
            uri = "http://127.0.0.1:8701"
            known = Endpoint(
                spec.endpoint,
                EndpointState.STARTING,
                f"{uri}/score",
                f"{uri}/swagger.json",
                {},
                {},
                (),
                EndpointLimits(),
                time.time(),
            )
        else:
            self._memory.endpoints.remove(known)
        self._memory.endpoints.insert(0, replace(known, deployments=(*known.deployments, deployment)))
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
        expected: Mapping[str, int] | None = None,
    ) -> Endpoint:
        now = self._memory._endpoint(endpoint)
        if expected is not None:
            check_expected(endpoint, now.traffic, expected)
        if unknown := sorted(set(traffic) - {deployment.name for deployment in now.deployments}):
            raise EndpointNotFound(f"Endpoint '{endpoint}' has no deployment '{unknown[0]}'")
        for deployment in now.deployments:
            if traffic.get(deployment.name, 0) and deployment.gate is not GateState.PASSED and not force:
                raise GateRefused(f"The gate of '{deployment.name}' has not passed", hint="See the Quality page")
        return self._memory._change(now, traffic=dict(traffic), mirror=dict(mirror or {}))

    @verb
    def update(self, name: str, changes: Mapping[str, Any], *, expected: Mapping[str, Any] | None = None) -> Endpoint:
        now = self._memory._endpoint(name)
        check_limits(name, now.limits, expected or {})
        return self._memory._change(now, limits=now.limits.changed(changes))

    @verb
    def delete_deployment(self, endpoint: str, name: str) -> None:
        now = self._memory._endpoint(endpoint)
        if now.traffic.get(name):
            raise Conflict(f"Deployment '{name}' has traffic", hint="Take its traffic away first")
        self._memory._change(now, deployments=tuple(d for d in now.deployments if d.name != name))

    @verb
    def delete(self, name: str) -> None:
        self._memory.endpoints.remove(self._memory._endpoint(name))
        for job in [
            j for j in self._memory.jobs if j.state is JobState.QUEUED and getattr(j.spec, "endpoint", None) == name
        ]:
            self._memory._changed(job, state=JobState.CANCELED)

    @verb
    def swagger(self, endpoint: str, version: str = "2") -> Mapping[str, Any]:
        self._memory._endpoint(endpoint)
        return {"swagger": "2.0", "info": {"title": endpoint}, "paths": {}}

    @verb
    def keys(self, name: str) -> EndpointKeys:
        self._memory._endpoint(name)
        return EndpointKeys("primary-key-of-the-fake", "secondary-key-of-the-fake")

    @verb
    def rotate_key(self, name: str, which: str) -> EndpointKeys:
        self._memory._endpoint(name)
        return EndpointKeys("a-new-primary-key", "secondary-key-of-the-fake")

    @verb
    def target(self, name: str, origin: Origin) -> Target:
        endpoint = self._memory._endpoint(name)
        return Target(endpoint.scoring_uri.removesuffix("/score"), f"the key of {origin}")

    @verb
    def invoke(self, name: str, body: bytes, *, deployment: str = "", origin: Origin = Origin.CLIENT) -> ScoreReply:
        known = self._memory._endpoint(name)
        if self._memory.replies:
            return self._memory.replies.popleft()
        asked, labels = understood(body), self._memory._labels(known)
        if asked is None:
            return NO_JSON
        rows = len(asked["data"])
        result: list[Any] = [[0.732, 0.268]] * rows if asked.get("method") == "predict_proba" else [labels[0]] * rows
        answered = deployment or next((d for d, percent in known.traffic.items() if percent), "v3")
        at, request_id = time.time(), f"request-{len(self._memory.records[name])}"
        self._memory.records[name].insert(
            0, RequestRecord(at, request_id, answered, 200, rows, 2.41, len(body), 33, origin)
        )
        headers = {"azureml-model-deployment": answered, "x-request-id": request_id}
        return ScoreReply(200, {"result": result}, headers, 2.41)

    @verb
    def logs(self, name: str, limit: int = 1000, *, level: str = "", request_id: str = "") -> tuple[LogLine, ...]:
        self._memory._endpoint(name)
        found = (line for line in self._memory.logs[name] if level in ("", line.level) and request_id in line.text)
        return tuple(found)[-limit:]


class FakeProofs(Proofs):
    def __init__(self, memory: FakeWorkspace) -> None:
        self._memory = memory

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
        self._memory._endpoint(endpoint)
        return self._memory._queue("gate", GateSpec(endpoint, deployment, depth))

    @verb
    def gate_progress(self, job_id: str) -> GateProgress:
        self._memory._known(job_id)
        return GateProgress(tuple(self._memory.judged[job_id]), tuple(self._memory.parts_over[job_id]))

    @verb
    def gate_reports(self, endpoint: str = "", deployment: str = "", limit: int = 50) -> tuple[GateReport, ...]:
        kept = (r for r in self._memory.gates if endpoint in ("", r.endpoint) and deployment in ("", r.deployment))
        return tuple(kept)[:limit]

    @verb
    def load_progress(self, job_id: str) -> LoadReport | None:
        self._memory._known(job_id)
        return self._memory.progress.get(job_id)

    @verb
    def load_reports(self, endpoint: str = "", limit: int = 50) -> tuple[LoadReport, ...]:
        return tuple(load for load in self._memory.loads if endpoint in ("", load.endpoint))[:limit]


class FakeRecords(Records):
    def __init__(self, memory: FakeWorkspace) -> None:
        self._memory = memory

    @verb
    def telemetry(
        self, endpoint: str, window_s: float = 3600.0, buckets: int = 60, *, origin: Origin | None = Origin.CLIENT
    ) -> TelemetrySummary:
        self._memory._endpoint(endpoint)
        now, everybody = time.time(), self._memory.records[endpoint]
        records = [r for r in everybody if origin in (None, r.origin)]
        counts = Counter(one.deployment for one in records)
        own = TelemetrySummary(
            *(endpoint, now - window_s, now, len(records), sum(one.rows for one in records), None, None, None),
            by_deployment={name: DeploymentTraffic(n, n, 0, 0, None, None, None) for name, n in counts.items()},
            by_origin=Counter(one.origin for one in everybody),
        )
        return self._memory.summaries.get(endpoint, own)

    @verb
    def requests(
        self, endpoint: str, limit: int = 100, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[RequestRecord, ...]:
        self._memory._endpoint(endpoint)
        return tuple(r for r in self._memory.records[endpoint] if origin in (None, r.origin))[:limit]

    @verb
    def search(
        self, endpoint: str, query: RequestQuery, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[RequestRecord, ...]:
        self._memory._endpoint(endpoint)
        ids = ("request_id", "client_request_id", "trace_id")
        found = [
            r
            for r in self._memory.records[endpoint]
            if origin in (None, r.origin)
            and (query.since is None or r.at >= query.since)
            and any(getattr(r, name).startswith(query.text) for name in ids)
            and (not query.statuses or r.status in query.statuses)
            and query.deployment in ("", r.deployment)
            and query.problem in ("", r.problem)
        ]
        if query.slowest:
            found.sort(key=lambda r: -r.elapsed_ms)
        return tuple(found[: query.limit])

    @verb
    def course(
        self, endpoint: str, window_s: float = 3600.0, buckets: int = 60, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[DeploymentCourse, ...]:
        self._memory._endpoint(endpoint)
        told, own = self._memory.summaries.get(endpoint), self._memory.monitored.course
        return (monitored.course(told) if told else ()) if own is None else own

    @verb
    def exceptions(
        self, endpoint: str, window_s: float = 3600.0, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[ExceptionGroup, ...]:
        self._memory._endpoint(endpoint)
        return self._memory.monitored.exceptions

    @verb
    def refusals(
        self, endpoint: str, window_s: float = 3600.0, *, origin: Origin | None = Origin.CLIENT
    ) -> tuple[Refusal, ...]:
        self._memory._endpoint(endpoint)
        return self._memory.monitored.refusals

    @verb
    def availability(self, endpoint: str, window_s: float = 3600.0, buckets: int = 60) -> Availability:
        self._memory._endpoint(endpoint)
        now = time.time()
        return self._memory.monitored.availability or monitored.availability(now - window_s, now, buckets)

    @verb
    def disagreement(self, endpoint: str, window_s: float = 3600.0) -> tuple[Disagreement, ...]:
        self._memory._endpoint(endpoint)
        return self._memory.monitored.disagreement

    @verb
    def drift(self, endpoint: str, window_s: float = 86_400.0, *, deployment: str = "") -> DriftReport:
        self._memory._endpoint(endpoint)
        if self._memory.monitored.drift is None:
            raise Conflict("No inputs are kept", hint="Turn on the collection of inputs and predictions")
        return self._memory.monitored.drift

    @verb
    def set_drift_limit(self, endpoint: str, column: str, limit: float | None) -> None:
        self._memory._endpoint(endpoint)
        self._memory.monitored.limits[column] = limit

    @verb
    def predictions(
        self, endpoint: str, window_s: float = 86_400.0, buckets: int = 48, *, deployment: str = ""
    ) -> Predictions:
        self._memory._endpoint(endpoint)
        if self._memory.monitored.predictions is None:
            raise Conflict("No predictions are kept", hint="Turn on the collection of inputs and predictions")
        return self._memory.monitored.predictions

    @verb
    def send_feedback(self, endpoint: str, outcomes: Sequence[Outcome]) -> FeedbackReceipt:
        self._memory._endpoint(endpoint)
        return self._memory.monitored.receipt(endpoint, {(o.request_id, o.row): o.actual for o in outcomes})

    @verb
    def quality(self, endpoint: str, window_s: float = 30 * 86_400.0, *, deployment: str = "") -> LiveQuality:
        self._memory._endpoint(endpoint)
        return self._memory.monitored.quality

    @verb
    def set_alert(self, rule: AlertRule) -> Alert:
        self._memory._endpoint(rule.endpoint)
        made = Alert(rule, AlertState.UNKNOWN, None, time.time(), None)
        self._memory.monitored.alerts[rule.name] = made
        return made

    @verb
    def delete_alert(self, name: str) -> None:
        monitored = self._memory.monitored
        unreadable = tuple(alert for alert in monitored.unreadable_alerts if alert.name != name)
        was_unreadable = len(unreadable) < len(monitored.unreadable_alerts)
        monitored.unreadable_alerts = unreadable
        if monitored.alerts.pop(name, None) is None and not was_unreadable:
            raise AlertNotFound(f"There is no alert '{name}'")

    @verb
    def alerts(self) -> tuple[Alert, ...]:
        return tuple(sorted(self._memory.monitored.alerts.values(), key=lambda a: a.state is not AlertState.FIRING))

    @verb
    def unreadable_alerts(self) -> tuple[UnreadableAlert, ...]:
        return self._memory.monitored.unreadable_alerts

    @verb
    def alert_events(self, limit: int = 100) -> tuple[AlertEvent, ...]:
        return self._memory.monitored.events[:limit]


class FakePipelines(Pipelines):
    """Published pipelines whose runs stay queued: a test moves them on with `FakeWorkspace.move`."""

    def __init__(self, memory: FakeWorkspace) -> None:
        self._memory = memory

    @verb
    def publish(self, spec: PipelineSpec, *, label: str = "", code: Mapping[str, bytes] = NO_CODE) -> PipelineEndpoint:
        memory = self._memory
        uri = f"{memory.service.url}/pipelines/p-{len(memory.published) + 1}"
        version = 1 + sum(p.name == spec.name for p in memory.published)
        memory.published = [replace(p, default=p.default and p.name != spec.name) for p in memory.published]
        pipeline = PipelineEndpoint(
            uri.rpartition("/")[2], spec.name, version, spec, uri, True, time.time(), label or str(version)
        )
        memory.published.insert(0, pipeline)
        return pipeline

    @verb
    def list(self) -> tuple[PipelineEndpoint, ...]:
        return tuple(p for p in self._memory.published if p.default)

    @verb
    def get(self, pipeline: str, version: int = 0) -> PipelineEndpoint:
        return self._known(pipeline, version)

    @verb
    def versions(self, pipeline: str) -> tuple[PipelineEndpoint, ...]:
        name = self._known(pipeline).name
        return tuple(p for p in self._memory.published if p.name == name)

    @verb
    def set_default(self, pipeline: str, version: int) -> PipelineEndpoint:
        wanted = self._known(pipeline, version)
        self._change(wanted.name, lambda p: replace(p, default=p.version == version))
        return self._known(wanted.name)

    @verb
    def enable(self, pipeline: str, enabled: bool) -> PipelineEndpoint:
        name = self._known(pipeline).name
        self._change(name, lambda p: replace(p, enabled=enabled))
        return self._known(name)

    @verb
    def keys(self, pipeline: str) -> EndpointKeys:
        self._known(pipeline)
        return EndpointKeys("key-one", "key-two")

    @verb
    def rotate_key(self, pipeline: str, which: str) -> EndpointKeys:
        self._known(pipeline)
        return EndpointKeys(**{"primary": "key-one", "secondary": "key-two", which: "key-new"})

    @verb
    def trigger(
        self,
        pipeline: str,
        experiment_name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        version: int = 0,
        origin: RunOrigin = RunOrigin.APP,
        repeat_key: str = "",
    ) -> PipelineRun:
        known = self._known(pipeline, version)
        steps = tuple(StepRun(s.name, s.kind) for s in known.spec.steps)
        given = {**known.spec.defaults, **(parameters or {})}
        return self._add(known, experiment_name, steps, parameters=given, origin=origin)

    @verb
    def get_run(self, run_id: str) -> PipelineRun:
        return self._run(run_id)

    @verb
    def list_runs(
        self,
        pipeline: str = "",
        limit: int = 50,
        *,
        state: JobState | None = None,
        schedule: str = "",
        experiment_name: str = "",
        of: Artifact | None = None,
        before: str = "",
    ) -> tuple[RunSummary, ...]:
        names = {p.name for p in self._memory.published if pipeline in ("", p.id, p.name)}
        runs = self._memory.runs
        if before:
            runs = runs[1 + runs.index(self._run(before)) :]
        found = (r for r in runs if r.pipeline in names and state in (None, r.state))
        found = (r for r in found if schedule in ("", r.schedule) and experiment_name in ("", r.experiment_name))
        if of is None:
            return tuple(map(_summary, islice(found, limit)))
        made = self._memory.lineage[of]
        return tuple(replace(_summary(r), made=made[r.id]) for r in found if r.id in made)[:limit]

    @verb
    def revision(self) -> int:
        return hash((tuple(map(repr, self._memory.runs)), len(self._memory.published)))

    @verb
    def cancel(self, run_id: str) -> PipelineRun:
        return self._memory.move(run_id, state=JobState.CANCELED)

    @verb
    def retry(self, run_id: str) -> PipelineRun:
        run = self._run(run_id)
        kept = StepState.SUCCEEDED
        steps = tuple(s if s.state is kept else StepRun(s.name, s.kind) for s in run.steps)
        known = self._known(run.pipeline, run.version)
        return self._add(known, run.experiment_name, steps, retry_of=run.id, origin=RunOrigin.RETRY)

    @verb
    def step_log(self, run_id: str, step: str, limit: int = 1000) -> tuple[LogLine, ...]:
        self._step(run_id, step)
        return tuple(self._memory.logs[f"{run_id}/{step}"][-limit:])

    @verb
    def open_output(self, run_id: str, step: str, output: str) -> BinaryIO:
        self._step(run_id, step)
        if found := self._memory.outputs.get(f"{run_id}/{step}/{output}"):
            return found.open("rb")
        run = self._run(run_id)
        declared = run.spec.step(step).outputs if run.spec else {}
        if output in declared:
            raise Conflict(f"Step '{step}' has given no '{output}'")
        raise JobNotFound(f"Step '{step}' has no output '{output}'")

    def _step(self, run_id: str, name: str) -> StepRun:
        for step in self._run(run_id).steps:
            if step.name == name:
                return step
        raise JobNotFound(f"Run '{run_id}' has no step '{name}'")

    def _known(self, pipeline: str, version: int = 0) -> PipelineEndpoint:
        for known in self._memory.published:
            if pipeline in (known.id, known.name) and (version == known.version or (not version and known.default)):
                return known
        raise PipelineNotFound(f"There is no pipeline '{pipeline}'")

    def _change(self, name: str, change: Callable[[PipelineEndpoint], PipelineEndpoint]) -> None:
        self._memory.published = [change(p) if p.name == name else p for p in self._memory.published]

    def _run(self, run_id: str) -> PipelineRun:
        for run in self._memory.runs:
            if run.id == run_id:
                return run
        raise JobNotFound(f"There is no run {run_id}")

    def _add(
        self, known: PipelineEndpoint, experiment_name: str, steps: tuple[StepRun, ...], **more: Any
    ) -> PipelineRun:
        runs = self._memory.runs
        number = 1 + max((r.number for r in runs if r.pipeline == known.name), default=0)
        made = PipelineRun(
            f"r-{len(runs) + 1}", known.name, known.version, experiment_name, JobState.QUEUED, steps, time.time(),
            number=number, spec=known.spec, **more,
        )  # fmt: skip
        runs.insert(0, made)
        return made


def _summary(run: PipelineRun) -> RunSummary:
    return RunSummary(
        id=run.id,
        pipeline=run.pipeline,
        number=run.number,
        version=run.version,
        experiment_name=run.experiment_name,
        state=run.state,
        origin=run.origin,
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        schedule=run.schedule,
        retry_of=run.retry_of,
        message=run.message,
        steps_done=sum(step.state.final for step in run.steps),
        steps_total=len(run.steps),
    )


class FakeSchedules(Schedules):
    """Schedules that never fire by themselves."""

    def __init__(self, memory: FakeWorkspace) -> None:
        self._memory = memory

    @verb
    def create(self, spec: ScheduleSpec) -> Schedule:
        if spec.name in self._memory.schedules:
            raise Conflict(f"There is a schedule '{spec.name}' already", hint="Choose another name")
        self._check(spec)
        return self._put(Schedule(spec, True, created_at=time.time()))

    @verb
    def update(self, spec: ScheduleSpec) -> Schedule:
        known = self._known(spec.name)
        self._check(spec)
        return self._put(replace(known, spec=spec))

    @verb
    def list(self) -> tuple[Schedule, ...]:
        return tuple(schedule for _, schedule in sorted(self._memory.schedules.items()))

    @verb
    def get(self, name: str) -> Schedule:
        return self._known(name)

    @verb
    def enable(self, name: str, enabled: bool) -> Schedule:
        return self._put(replace(self._known(name), enabled=enabled))

    @verb
    def delete(self, name: str) -> None:
        del self._memory.schedules[self._known(name).spec.name]
        self._memory.fires.pop(name, None)

    @verb
    def run_now(self, name: str) -> PipelineRun:
        schedule, now = self._known(name), time.time()
        spec = schedule.spec
        run = self._memory.workspace.pipelines.trigger(
            spec.pipeline, spec.experiment_name, spec.parameters, version=spec.version, origin=RunOrigin.SCHEDULE
        )
        run = replace(run, origin=RunOrigin.SCHEDULE, schedule=name)
        self._memory.runs[0] = run
        fire = Fire(name, f"now:{run.id}", now, FireOutcome.STARTED, now, run.id)
        self._memory.fires[name].insert(0, fire)
        self._put(replace(schedule, last_fire=fire, last_run_id=run.id))
        return run

    @verb
    def fires(self, name: str, limit: int = 50) -> tuple[Fire, ...]:
        self._known(name)
        return tuple(self._memory.fires[name])[:limit]

    def _known(self, name: str) -> Schedule:
        if name not in self._memory.schedules:
            raise PipelineNotFound(f"There is no schedule '{name}'")
        return self._memory.schedules[name]

    def _check(self, spec: ScheduleSpec) -> None:
        published = self._memory.published
        known = next((each for each in published if spec.pipeline in (each.id, each.name)), None)
        if known is None or spec.version not in (0, known.version):
            lacks = f" has no version {spec.version}" if known else ""
            raise PipelineNotFound(f"Pipeline '{spec.pipeline}'{lacks or ' is not published'}")
        if spec.data:
            self._memory.workspace.data.get(DataRef(spec.data))
        plan(known.spec, spec.parameters)
        check_schedule(spec, time.time())

    def _put(self, schedule: Schedule) -> Schedule:
        spec = schedule.spec
        fires = next_fires(spec, time.time(), 5, since=schedule.created_at) if schedule.enabled else ()
        kept = replace(schedule, next_fires_at=fires, words=schedule_words(spec))
        self._memory.schedules[schedule.spec.name] = kept
        return kept


class FakeService(Service):
    def __init__(self, memory: FakeWorkspace) -> None:
        self._memory = memory

    @verb
    def start(self) -> ServiceStatus:
        self._memory.service = replace(self._memory.service, running=True)
        return self._memory.service

    @verb
    def status(self) -> ServiceStatus:
        return self._memory.service


def without(workspace: Workspace, *verbs: str) -> Workspace:
    """The same workspace on a backend that lacks some verbs, such as `jobs.cancel`."""
    less: dict[str, Collection] = {}
    for collection in workspace.collections:
        lost = [verb for verb in collection.verbs() if f"{collection.noun}.{verb}" in verbs]
        kind = type(collection)
        drawn = next(each for each in kind.__mro__ if "noun" in vars(each))
        less[collection.noun] = poorer = copy(collection)
        poorer.__class__ = type(f"Poorer{kind.__name__}", (kind,), {verb: getattr(drawn, verb) for verb in lost})
    return replace(workspace, **less)  # type: ignore[arg-type]  # each is of its own noun's kind


OPENED: dict[Path, FakeWorkspace] = {}
"""Fakes by their home, so that an app which opens its workspace from settings meets the test's own."""


def open_fake(settings: Settings, *, confined: bool = False) -> Workspace:
    """A `BACKENDS` entry: the fake prepared for these settings' home, or an empty one."""
    return OPENED.setdefault(settings.home, FakeWorkspace(settings)).workspace


def open_distant(settings: Settings, *, confined: bool = False) -> Workspace:
    """A `BACKENDS` entry: an empty fake that has something to say, and that is looked at every five seconds."""
    return replace(FakeWorkspace(settings).workspace, pace=Pace(look_s=5.0), notice="Nothing here is in the cloud.")
