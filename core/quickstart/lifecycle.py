"""The whole lifecycle over the `Workspace` interface: register, train, register, deploy, gate, give traffic, score.

Each step is a verb that can be repeated, so a quickstart that was interrupted goes on where it was: with `reuse` it
takes up the training that is under way, or keeps the newest model of the same table and target.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from core.contract import samples
from core.domain.data import DataAsset, DataRef, DataSource, Reading
from core.domain.endpoint import (
    DEPLOYMENT_HEADER,
    Deployment,
    DeploymentSpec,
    DeploymentState,
    Endpoint,
    EndpointState,
    GateState,
    ScoreReply,
)
from core.domain.errors import ServiceUnavailable, TrainingFailed
from core.domain.job import Job, JobKind, JobState
from core.domain.model import Model
from core.domain.names import endpoint_name, table_name
from core.domain.proof import CheckResult, verdict
from core.domain.training import TrainingSpec, TrialState
from core.quickstart.report import QuickstartOptions, QuickstartReport, found
from core.workspace import Workspace

T = TypeVar("T")

TITLES: Mapping[str, str] = {"bankmarketing_train": "Bank Marketing"}
"""Tables that go by another name than their file's; models and endpoints are named after it."""
SAMPLE_ROWS = 2
SERVICE_CHECK_S = 2.0
TRAFFIC_TIMEOUT_S = 10.0
"""Traffic is in force within about a second; by then something is wrong and the answer is taken as it comes."""


def run(
    workspace: Workspace,
    options: QuickstartOptions,
    *,
    say: Callable[[str], None],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> QuickstartReport:
    """Run the lifecycle; `say` gets one sentence per step, `clock` gives seconds, `sleep` waits between two looks.

    Raises SpecInvalid for options that make no sense, SourceUnreadable, TableUnusable, TrainingFailed, and whatever
    else the verbs raise. A red gate is no error: the report says so.
    """
    return _Quickstart(workspace, options, say, clock, sleep).run()


class _Quickstart:
    def __init__(
        self,
        workspace: Workspace,
        options: QuickstartOptions,
        say: Callable[[str], None],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._workspace, self._options = workspace, options
        self._say, self._clock, self._sleep = say, clock, sleep
        table = table_name(options.data)
        self._table, self._name = table, endpoint_name(TITLES.get(table, table))
        self._has_service = workspace.can("service.start", "service.status")
        self._seconds: dict[str, float] = {}
        self._started_at = self._phase_at = clock()

    def run(self) -> QuickstartReport:
        self._spec(DataRef(self._table), self._options.target)  # refuses nonsense before anything is started
        if self._has_service:
            self._workspace.service.start()
        asset = self._data()
        job = self._trained(asset)
        model = self._workspace.models.register(self._name, job.id)
        self._say(f"Registered model {model.ref} ({model.algorithm})")
        deployment = self._deployed(model)
        checks = self._gated(deployment)
        passed = verdict(checks) is True
        self._say(f"Gate {'passed' if passed else 'did not pass'}: {_count(checks)}")
        score = self._scored(model, deployment, passed)
        self._done("gate")
        self._seconds["total"] = self._clock() - self._started_at
        return QuickstartReport(
            data=asset,
            job=job,
            model=model,
            endpoint=self._workspace.endpoints.get(self._name),
            keys=self._workspace.endpoints.keys(self._name),
            score=score,
            checks=checks,
            seconds=self._seconds,
            trials=len(self._workspace.jobs.trials(job.id)),
            notes=found(job).notes,
        )

    def _spec(self, data: DataRef, target: str, exclude: tuple[str, ...] = ()) -> TrainingSpec:
        return TrainingSpec(
            data,
            target,
            self._options.timeout_s,
            exclude=exclude or self._options.exclude,
            experiment_name="quickstart",
        )

    def _data(self) -> DataAsset:
        reading = Reading(target=self._options.target)
        asset = self._workspace.data.register(self._table, self._options.data, reading)
        origin = "a synthetic twin, not the real table" if asset.source is DataSource.TWIN else asset.origin
        self._say(f"Registered data {asset.ref}: {asset.rows:,} rows, {len(asset.columns)} columns ({origin})")
        for note in asset.notes:
            self._say(f"{note.text}.")
        self._done("data")
        return asset

    def _trained(self, asset: DataAsset) -> Job:
        named = tuple(asset.named(name) for name in self._options.exclude)
        spec = self._spec(asset.ref, asset.named(self._options.target), named)
        job = (self._known_job(spec) if self._options.reuse else None) or self._workspace.jobs.submit(spec)
        if not job.state.final:
            self._say(f"Job {job.id}: searching for {spec.timeout_s:g} s")
        told = {trial.number for trial in self._workspace.jobs.trials(job.id)} if job.state.final else set()
        job = self._wait(lambda: self._progress(job.id, told), lambda now: now.state.final)
        if job.state is not JobState.SUCCEEDED:
            raise TrainingFailed(
                f"Job {job.id} is {job.state}: {job.message or 'no reason given'}",
                hint=job.hint or f"Its log says more: python -m core job logs {job.id}",
            )
        for note in found(job).notes:
            self._say(note)
        self._done("automl")
        return job

    def _known_job(self, spec: TrainingSpec) -> Job | None:
        """The job of the newest model trained as `spec` says, else the newest such job that may still give one."""
        models = (m for m in self._workspace.models.list() if m.name == self._name and m.data == spec.data)
        of_models = (self._workspace.jobs.get(m.job_id) for m in models)
        for job in (*of_models, *self._workspace.jobs.list(JobKind.AUTOML, data=spec.data)):
            same = _same_training(job, spec)
            if same and (job.state is JobState.SUCCEEDED or not (job.state.final or job.cancel_requested)):
                self._say(f"Keeping job {job.id} ({job.state}): the same table and target")
                return job
        return None

    def _progress(self, job_id: str, told: set[int]) -> Job:
        job = self._workspace.jobs.get(job_id)
        for trial in self._workspace.jobs.trials(job_id):
            if trial.number in told or trial.state is TrialState.RUNNING:
                continue
            told.add(trial.number)
            auc = trial.metrics.get("AUC_weighted")
            outcome = f"AUC_weighted {auc:.4f}" if auc is not None else f"{trial.state} {trial.error}".strip()
            self._say(f"Trial {trial.number}: {trial.algorithm}, {outcome}, {trial.duration_s:.1f} s")
        return job

    def _deployed(self, model: Model) -> Deployment:
        """The deployment as `deploy` gave it, once it is ready."""
        spec = DeploymentSpec(
            endpoint=self._name, model=model.name, model_version=model.version, name=f"v{model.version}"
        )
        deployed = self._workspace.endpoints.deploy(spec)
        name, start_s = deployed.name, self._workspace.pace.start_s
        self._say(f"Deployed {model.ref} to {self._name}/{name} with 0 % traffic")
        endpoint, deployment = self._wait(
            lambda: self._look(name), lambda now: now[0].state.final and now[1].state.final, start_s
        )
        if deployment.state is not DeploymentState.READY or endpoint.state is EndpointState.FAILED:
            cause = deployment.error or endpoint.error or f"still {endpoint.state} after {start_s:g} s"
            raise ServiceUnavailable(
                f"Deployment {self._name}/{name} is not ready: {cause}",
                hint=f"Its server's log says more: python -m core endpoint logs {self._name}",
            )
        self._done("deploy")
        return deployed

    def _look(self, name: str) -> tuple[Endpoint, Deployment]:
        endpoint = self._workspace.endpoints.get(self._name)
        return endpoint, next(d for d in endpoint.deployments if d.name == name)

    def _gated(self, deployment: Deployment) -> tuple[CheckResult, ...]:
        """The checks of the gate of a deployment as `deploy` gave it; one that had not passed before is run anew."""
        job_id = deployment.gate_job_id
        if not job_id or deployment.gate in (GateState.NONE, GateState.FAILED, GateState.NO_VERDICT):
            job_id = self._workspace.proofs.run_gate(self._name, deployment.name).id
        job = self._wait(lambda: self._workspace.jobs.get(job_id), lambda now: now.state.final)
        reports = self._workspace.proofs.gate_reports(self._name, deployment.name, limit=1)
        if job.state is not JobState.SUCCEEDED or not reports:
            why = f"the gate's job {job.id} is {job.state}: {job.message or 'it left no report'}"
            return (CheckResult("gate", "gate", None, why, no_verdict=True),)
        return reports[0].checks

    def _scored(self, model: Model, deployment: Deployment, passed: bool) -> ScoreReply:
        """The answer to two sample rows by the normal route; with a passed gate, the deployment's own."""
        body = samples.body(samples.rows(model.signature, SAMPLE_ROWS, seed=0))
        if not passed:
            return self._workspace.endpoints.invoke(self._name, body)
        others = {d.name: 0 for d in self._workspace.endpoints.get(self._name).deployments}
        self._workspace.endpoints.set_traffic(self._name, {**others, deployment.name: 100}, by="quickstart")
        self._wait(lambda: self._workspace.endpoints.get(self._name), lambda now: now.settled, TRAFFIC_TIMEOUT_S)
        return self._wait(
            lambda: self._workspace.endpoints.invoke(self._name, body),
            lambda reply: reply.headers.get(DEPLOYMENT_HEADER) == deployment.name,
            TRAFFIC_TIMEOUT_S,
        )

    def _wait(self, look: Callable[[], T], done: Callable[[T], bool], timeout_s: float = math.inf) -> T:
        """Look until `done`, and give the last look when `timeout_s` passes; a service that died is started again."""
        deadline = self._clock() + timeout_s
        checked_at = self._clock()
        while not done(now := look()) and self._clock() < deadline:
            if self._has_service and self._clock() - checked_at >= SERVICE_CHECK_S:
                checked_at = self._clock()
                if not self._workspace.service.status().running:
                    self._say("The service has stopped; starting it again")
                    self._workspace.service.start()
            self._sleep(self._workspace.pace.look_s)
        return now

    def _done(self, phase: str) -> None:
        now = self._clock()
        self._seconds[phase], self._phase_at = now - self._phase_at, now


def _count(checks: Sequence[CheckResult]) -> str:
    failed = [check.name for check in checks if check.passed is False]
    undecided = [check.name for check in checks if check.no_verdict]
    parts = [f"{len(checks)} checks"]
    parts += [f"{word}: {', '.join(names)}" for word, names in (("failed", failed), ("undecided", undecided)) if names]
    return "; ".join(parts)


def _same_training(job: Job, spec: TrainingSpec) -> bool:
    """Whether a job was submitted for the same table, target and excluded columns."""
    theirs = job.spec
    if not isinstance(theirs, TrainingSpec):
        return False
    return (theirs.data, theirs.target, theirs.exclude) == (spec.data, spec.target, spec.exclude)
