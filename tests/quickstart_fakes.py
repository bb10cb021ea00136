"""A workspace in memory that lives through the lifecycle: each look at it brings what runs one step further."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.domain.data import AS_FOUND, ColumnKind, DataAsset, DataRef, DataSource, Reading
from core.domain.endpoint import (
    Deployment,
    DeploymentSpec,
    DeploymentState,
    Endpoint,
    EndpointKeys,
    EndpointLimits,
    EndpointState,
    GateBudget,
    GateState,
    ScoreReply,
)
from core.domain.errors import DataNotFound, EndpointNotFound, GateRefused, JobNotFound, ModelNotFound
from core.domain.job import Job, JobKind, JobSpec, JobState, kind_of
from core.domain.model import Model
from core.domain.monitoring import ServiceStatus
from core.domain.proof import CheckResult, GateReport, GateSpec
from core.domain.signature import Column, Signature
from core.domain.training import BestTrial, TrainingResult, TrainingSpec, Trial, TrialState
from core.settings import Settings
from core.workspace import Workspace
from core.workspace.data import DataAssets
from core.workspace.endpoints import Endpoints
from core.workspace.jobs import Jobs
from core.workspace.models import Models
from core.workspace.proofs import Proofs
from core.workspace.service import Service

SIGNATURE = Signature(
    (
        Column("age", ColumnKind.INTEGER, False, typical=38, low=17, high=98),
        Column("job", ColumnKind.STRING, False, ("admin.", "retired"), True, "admin."),
    ),
    "y",
    ("no", "yes"),
    "yes",
)
LEAK = "The column 'duration' is known only after the call, so this model leaks."
GREEN = (CheckResult("parity", "parity", True, "0.0"), CheckResult("shadow", "shadow", None, "does not apply"))
RED = (*GREEN, CheckResult("p99", "performance", False, "p99 80 ms, budget 50 ms"))
UNDECIDED = (*GREEN, CheckResult("p99", "performance", None, "windows differ too much", no_verdict=True))
LOOKS = 3
"""So many looks at a job until it has ended."""


NO_JSON = ScoreReply(400, {"message": "The body is no JSON"}, {}, 1.0)


def understood(body: bytes) -> Any:
    """The body's value; None where it is no JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return None


class Ticking:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Double(Workspace):
    """A workspace in memory: it has only the verbs that its tests use."""


class LifecycleFake:
    """`verdict` is what gates find, `failure` makes training fail with it, `crash` makes the service stop once."""

    def __init__(
        self, settings: Settings, *, verdict: tuple[CheckResult, ...] = GREEN, failure: str = "", crash: bool = False
    ) -> None:
        self.settings, self.verdict, self.failure, self.crash = settings, verdict, failure, crash
        self.assets: dict[DataRef, DataAsset] = {}
        self.jobs: dict[str, Job] = {}
        self.looks: dict[str, int] = {}
        self.models: list[Model] = []
        self.deployments: list[Deployment] = []
        self.traffic: dict[str, int] = {}
        self.forced_by = ""
        self.reports: list[GateReport] = []
        self.running = False
        self.started = 0
        self.deployment_error = ""
        self.workspace: Workspace = Double(
            settings,
            data=LifecycleDataAssets(self),
            jobs=LifecycleJobs(self),
            models=LifecycleModels(self),
            endpoints=LifecycleEndpoints(self),
            proofs=LifecycleProofs(self),
            service=LifecycleService(self),
        )

    def _add(self, spec: JobSpec) -> Job:
        job = Job(f"job-{len(self.jobs)}", kind_of(spec), JobState.QUEUED, "quickstart", "local", spec, 1.0)
        self.jobs[job.id] = job
        return job

    def _known(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise JobNotFound(f"There is no job '{job_id}'")
        return self.jobs[job_id]

    def _end(self, job: Job) -> None:
        if job.kind is JobKind.GATE:
            self._end_gate(job)
        elif self.failure:
            self.jobs[job.id] = replace(job, state=JobState.FAILED, message=self.failure, hint="Look at the table")
        else:
            found = TrainingResult(BestTrial(1, "LightGBM", {"AUC_weighted": 0.94}), notes=(LEAK,))
            self.jobs[job.id] = replace(job, state=JobState.SUCCEEDED, result=found)

    def _end_gate(self, job: Job) -> None:
        assert isinstance(job.spec, GateSpec)
        endpoint, name = job.spec.endpoint, job.spec.deployment
        report = GateReport(job.id, endpoint, name, "m:1", self.verdict, GateBudget(), "default", 1.0, 1.0)
        self.reports.insert(0, report)
        self.jobs[job.id] = replace(job, state=JobState.SUCCEEDED)
        gate = GateState.PASSED if report.passed else GateState.FAILED if report.failed else GateState.NO_VERDICT
        self.deployments = [replace(d, gate=gate) if d.name == name else d for d in self.deployments]
        if gate is GateState.PASSED and not self.traffic:
            self.traffic = {name: 100}

    def _gate(self, endpoint: str, deployment: str) -> Job:
        return self._add(GateSpec(endpoint, deployment))


class LifecycleDataAssets(DataAssets):
    def __init__(self, memory: LifecycleFake) -> None:
        self._memory = memory

    def register(self, name: str, source: str, reading: Reading = AS_FOUND) -> DataAsset:
        asset = DataAsset(name, 1, DataSource.FILE, source, 100, ("age", "job", "y"), "ab" * 32, 1, 1.0)
        return self._memory.assets.setdefault(asset.ref, asset)

    def list(self) -> tuple[DataAsset, ...]:
        return tuple(self._memory.assets.values())

    def get(self, ref: DataRef) -> DataAsset:
        for asset in self._memory.assets.values():
            if asset.name == ref.name and ref.version in (0, asset.version):
                return asset
        raise DataNotFound(f"There is no data asset '{ref}'", hint="`data list` shows them")


class LifecycleJobs(Jobs):
    def __init__(self, memory: LifecycleFake) -> None:
        self._memory = memory

    def submit(self, spec: Any, *, parent_id: str = "") -> Job:
        assert isinstance(spec, TrainingSpec)
        return self._memory._add(spec)

    def get(self, job_id: str) -> Job:
        """Looking is what brings a job on: queued, running, and final at the last look."""
        self._memory._known(job_id)
        self._memory.looks[job_id] = self._memory.looks.get(job_id, 0) + 1
        if self._memory.crash and self._memory.looks[job_id] == 2:
            self._memory.running, self._memory.crash = False, False
        if self._memory.running and self._memory.looks[job_id] >= LOOKS and not self._memory.jobs[job_id].state.final:
            self._memory._end(self._memory.jobs[job_id])
        return self._memory.jobs[job_id]

    def list(
        self,
        kind: JobKind | None = None,
        limit: int = 100,
        *,
        endpoint: str = "",
        experiment_name: str = "",
        data: DataRef | None = None,
    ) -> tuple[Job, ...]:
        found = (job for job in reversed(self._memory.jobs.values()) if kind in (None, job.kind))
        return tuple(job for job in found if data in (None, getattr(job.spec, "data", None)))[:limit]

    def trials(self, job_id: str) -> tuple[Trial, ...]:
        self._memory._known(job_id)
        metrics = {"AUC_weighted": 0.94}
        return tuple(Trial(n, "LightGBM", TrialState.SUCCEEDED, metrics=metrics, duration_s=1.0) for n in range(2))


class LifecycleModels(Models):
    def __init__(self, memory: LifecycleFake) -> None:
        self._memory = memory

    def register(self, name: str, job_id: str, trial: int | None = None) -> Model:
        number = 1 if trial is None else trial
        if self._memory._known(job_id) and number not in (0, 1):
            raise JobNotFound(f"Job '{job_id}' has no trial {number}")
        known = [m for m in self._memory.models if (m.name, m.job_id, m.trial) == (name, job_id, number)]
        if known:
            return known[0]
        spec = self._memory._known(job_id).spec
        assert isinstance(spec, TrainingSpec)
        data = spec.data
        metrics = {"AUC_weighted": 0.94}
        version = 1 + sum(m.name == name for m in self._memory.models)
        model = Model(name, version, job_id, number, "LightGBM", metrics, data, SIGNATURE, 1, 1.0)
        self._memory.models.insert(0, model)
        return model

    def list(self, *, job_id: str = "") -> tuple[Model, ...]:
        return tuple(model for model in self._memory.models if job_id in ("", model.job_id))


class LifecycleEndpoints(Endpoints):
    def __init__(self, memory: LifecycleFake) -> None:
        self._memory = memory

    def deploy(self, spec: DeploymentSpec) -> Deployment:
        for known in self._memory.deployments:
            if known.name == spec.name:
                return known
        if not any((m.name, m.version) == (spec.model, spec.model_version) for m in self._memory.models):
            raise ModelNotFound(f"There is no model '{spec.model}:{spec.model_version}'")
        gate = self._memory._gate(spec.endpoint, spec.name)
        deployment = Deployment(
            spec.name,
            spec.endpoint,
            spec.model,
            spec.model_version,
            DeploymentState.FAILED if self._memory.deployment_error else DeploymentState.READY,
            GateState.QUEUED,
            1.0,
            error=self._memory.deployment_error,
            gate_job_id=gate.id,
        )
        self._memory.deployments.append(deployment)
        return deployment

    def list(self) -> tuple[Endpoint, ...]:
        return tuple(
            self._memory.workspace.endpoints.get(name)
            for name in sorted({d.endpoint for d in self._memory.deployments})
        )

    def get(self, name: str) -> Endpoint:
        if not any(d.endpoint == name for d in self._memory.deployments):
            raise EndpointNotFound(f"There is no endpoint '{name}'", hint="`endpoint list` shows them")
        root = "http://127.0.0.1:9"
        return Endpoint(
            name,
            EndpointState.READY,
            f"{root}/score",
            f"{root}/swagger.json",
            self._memory.traffic,
            {},
            tuple(self._memory.deployments),
            EndpointLimits(),
            1.0,
            settled=True,
        )

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
        known = {deployment.name for deployment in self._memory.workspace.endpoints.get(endpoint).deployments}
        if unknown := sorted(set(traffic) - known):
            raise EndpointNotFound(f"Endpoint '{endpoint}' has no deployment '{unknown[0]}'")
        for deployment in self._memory.deployments:
            if traffic.get(deployment.name) and deployment.gate is not GateState.PASSED and not force:
                raise GateRefused(f"The gate of '{deployment.name}' has not passed", hint="Force it by name")
        self._memory.traffic, self._memory.forced_by = dict(traffic), by if force else ""
        return self._memory.workspace.endpoints.get(endpoint)

    def keys(self, name: str) -> EndpointKeys:
        self._memory.workspace.endpoints.get(name)
        return EndpointKeys("primary-key", "secondary-key")

    def invoke(self, name: str, body: bytes, *, deployment: str = "") -> ScoreReply:
        self._memory.workspace.endpoints.get(name)
        live = deployment or next((d for d, percent in self._memory.traffic.items() if percent), "")
        if not live:
            return ScoreReply(503, {"message": "no deployment has traffic"}, {}, 1.0)
        if (asked := understood(body)) is None:
            return NO_JSON
        labels: list[Any] = list(SIGNATURE.classes)
        answers = [labels[row % 2] for row in range(len(asked["data"]))]
        if asked.get("method") == "predict_proba":
            answers = [[0.75, 0.25] if answer == labels[0] else [0.25, 0.75] for answer in answers]
        return ScoreReply(200, {"result": answers}, {"azureml-model-deployment": live}, 1.0)


class LifecycleProofs(Proofs):
    def __init__(self, memory: LifecycleFake) -> None:
        self._memory = memory

    def run_gate(
        self,
        endpoint: str,
        deployment: str = "",
        *,
        depth: str = "default",
        budget: GateBudget | None = None,
        by: str = "",
    ) -> Job:
        self._memory.workspace.endpoints.get(endpoint)
        return self._memory._gate(endpoint, deployment)

    def gate_reports(self, endpoint: str = "", deployment: str = "", limit: int = 50) -> tuple[GateReport, ...]:
        return tuple(r for r in self._memory.reports if r.endpoint == endpoint and deployment in ("", r.deployment))[
            :limit
        ]


class LifecycleService(Service):
    def __init__(self, memory: LifecycleFake) -> None:
        self._memory = memory

    def start(self) -> ServiceStatus:
        self._memory.running, self._memory.started = True, self._memory.started + 1
        return self._memory.workspace.service.status()

    def stop(self) -> ServiceStatus:
        self._memory.running = False
        return self._memory.workspace.service.status()

    def status(self) -> ServiceStatus:
        return ServiceStatus(
            self._memory.running, 1 if self._memory.running else None, "http://127.0.0.1:1", 0.0, "0", "home"
        )
