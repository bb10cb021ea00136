"""What each kind of step does on Azure, over the interface: the same verbs that a person would use one by one."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from core.azure.context import Context
from core.azure.pipelines import own
from core.azure.tables import Tables
from core.definitions.pipelines import training_spec
from core.domain.counting import counted
from core.domain.data import DataAsset, DataRef, Reading
from core.domain.endpoint import DeploymentSpec, DeploymentState, EndpointState, GateState
from core.domain.errors import GateRefused, SourceUnreadable, StateChanged, StepFailed
from core.domain.job import JobState
from core.domain.names import reference
from core.domain.pipeline import PipelineStep, StepKind
from core.domain.plain import plain
from core.domain.step_settings import (
    DeploySettings,
    GateSettings,
    GuardrailsSettings,
    PrepareSettings,
    RegisterSettings,
)
from core.domain.steps import typed
from core.domain.training import GuardrailState, TrainingResult, TrainingSpec
from core.ml.data.prepare import prepare as checked_table
from core.settings import Settings
from core.workspace import Workspace

READY_TIMEOUT_S, GATE_TIMEOUT_S, SETTLED_TIMEOUT_S = 3600.0, 3600.0, 600.0
BY = "pipeline"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Doing:
    """A step that is to be done, and what it works with; a step with code of its own needs no workspace."""

    settings: Settings
    step: PipelineStep
    inputs: Mapping[str, Any]
    before: Mapping[str, Mapping[str, Any]]
    """What the steps before it left, and where."""
    outputs: Path
    experiment_name: str
    open: Callable[[Settings], Workspace]
    say: Callable[[str], None] = log.info
    sleep: Callable[[float], None] = time.sleep
    look_s: float = 5.0

    @cached_property
    def workspace(self) -> Workspace:
        return self.open(self.settings)

    @cached_property
    def tables(self) -> Tables:
        return Tables(Context(self.settings))


@dataclass(frozen=True, slots=True)
class Done:
    """What a step gives."""

    outputs: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    job_id: str = ""


def prepare(doing: Doing) -> Done:
    """Register a table as it is now; the same bytes give the version that exists."""
    settings = typed(StepKind.PREPARE, doing.step.settings)
    assert isinstance(settings, PrepareSettings)
    if settings.holdout_pct:
        raise StepFailed(
            "Rows are not kept from trainings on Azure yet", hint="Set holdout_pct to 0, or use --workspace local"
        )
    asset, new = _prepared(doing.workspace, settings)
    outputs = {"data": str(asset.ref), "rows": asset.rows, "source": str(asset.source), "new": new}
    return Done(outputs, f"{asset.ref} has {counted(asset.rows, 'row')}")


def _prepared(workspace: Workspace, settings: PrepareSettings) -> tuple[DataAsset, bool]:
    known = [asset for asset in workspace.data.list() if asset.name in (settings.data, reference(settings.data)[0])]
    if known and reference(settings.data)[0] != settings.data:
        return workspace.data.get(DataRef(*reference(settings.data))), False
    try:
        made = workspace.data.register(settings.name, settings.data, Reading(target=settings.target))
    except SourceUnreadable:
        if not known:
            raise
        return max(known, key=lambda asset: asset.version), False
    return made, made.ref not in {asset.ref for asset in known}


def guardrails(doing: Doing) -> Done:
    """Look at a table as a training would, and fail where it cannot be learned."""
    settings = typed(StepKind.GUARDRAILS, doing.step.settings)
    assert isinstance(settings, GuardrailsSettings)
    held = doing.tables.find(DataRef(*reference(doing.inputs["data"])))
    asset = held.asset
    spec = TrainingSpec(asset.ref, asset.named(settings.target))
    spec = replace(spec, exclude=tuple(asset.named(name) for name in settings.exclude))
    found = checked_table(doing.tables.table(held), spec, doing.workspace.data.profile(asset.ref))
    for check in found.guardrails:
        doing.say(f"{check.detail}.")
    alerts = [check for check in found.guardrails if check.state is GuardrailState.ALERTED]
    if alerts and settings.stop_on_alert:
        raise StepFailed(f"{asset.ref}: {alerts[0].detail}", hint="Mend the table, or set stop_on_alert to false")
    said = f"{counted(len(found.guardrails), 'check')} of {asset.ref}, {counted(len(alerts), 'alert')}"
    return Done({"alerts": len(alerts), "checks": plain(found.guardrails)}, said)


def automl(doing: Doing) -> Done:
    """Submit an AutoML job, and wait for it."""
    spec = training_spec(doing.step, DataRef(*reference(doing.inputs["data"])))
    job = doing.workspace.jobs.submit(replace(spec, experiment_name=doing.experiment_name))
    doing.say(f"Training job {job.id}")
    while not job.state.final:
        doing.sleep(doing.look_s)
        job = doing.workspace.jobs.get(job.id)
    if job.state is not JobState.SUCCEEDED:
        raise StepFailed(f"The training {job.id} is {job.state}: {job.message}", hint=job.hint)
    trials = doing.workspace.jobs.trials(job.id)
    outputs: dict[str, Any] = {"job": job.id, "trials": len(trials)}
    if isinstance(job.result, TrainingResult):
        best = job.result.best
        outputs |= {"algorithm": str(best.algorithm), "metrics": dict(best.metrics)}
        outputs["score"] = best.metrics.get(spec.primary_metric)
    return Done(outputs, f"{counted(len(trials), 'trial')}", job.id)


def register(doing: Doing) -> Done:
    """Register a training's best model."""
    settings = typed(StepKind.REGISTER, doing.step.settings)
    assert isinstance(settings, RegisterSettings)
    model = doing.workspace.models.register(settings.model, doing.inputs["job"])
    return Done({"model": str(model.ref)}, f"Registered {model.ref}")


def deploy(doing: Doing) -> Done:
    """Deploy a model with 0 % traffic, and wait until it is ready."""
    settings = typed(StepKind.DEPLOY, doing.step.settings)
    assert isinstance(settings, DeploySettings)
    model, version = reference(doing.inputs["model"])
    made = doing.workspace.endpoints.deploy(DeploymentSpec(settings.endpoint, model, version, settings.deployment))
    left_s = READY_TIMEOUT_S
    while left_s > 0:
        endpoint = doing.workspace.endpoints.get(made.endpoint)
        deployment = next((each for each in endpoint.deployments if each.name == made.name), made)
        if deployment.state.final and endpoint.state.final:
            break
        doing.sleep(doing.look_s)
        left_s -= doing.look_s
    if deployment.state is not DeploymentState.READY or endpoint.state is EndpointState.FAILED:
        raise StepFailed(
            f"Deployment {made.endpoint}/{made.name} is not ready: {deployment.error or endpoint.error}",
            hint=f"Its server's log says more: python -m core endpoint logs {made.endpoint}",
        )
    said = f"{made.endpoint}/{made.name} serves {model}:{version}"
    return Done({"deployment": f"{made.endpoint}/{made.name}"}, said, made.gate_job_id or "")


def gate(doing: Doing) -> Done:
    """Wait for the deployment's gate, which must pass."""
    settings = typed(StepKind.GATE, doing.step.settings)
    assert isinstance(settings, GateSettings)
    endpoint, _, name = doing.inputs["deployment"].partition("/")
    job = doing.workspace.proofs.run_gate(endpoint, name, depth=settings.depth)
    left_s = GATE_TIMEOUT_S
    while not job.state.final and left_s > 0:
        doing.sleep(doing.look_s)
        left_s -= doing.look_s
        job = doing.workspace.jobs.get(job.id)
    passed = _deployment(doing.workspace, endpoint, name).gate is GateState.PASSED
    if not passed:
        raise GateRefused(f"The gate of {endpoint}/{name} has not passed: {job.message}", hint="Its report says why")
    return Done({"report": job.id, "passed": True}, f"{endpoint}/{name} has passed its gate", job.id)


def promote(doing: Doing) -> Done:
    """Give a deployment whose gate has passed all traffic; the others stay, with none."""
    name, _, deployment = doing.inputs["deployment"].partition("/")
    endpoint = doing.workspace.endpoints.get(name)
    chosen, compared = endpoint.chosen(""), doing.inputs.get("live")
    live = f"{name}/{chosen.name}" if chosen else ""
    if compared is not None and compared != live:
        raise StateChanged(f"The new model was compared with {compared}, but {live or 'none'} is live now")
    before = dict(endpoint.traffic)
    traffic = {**{each.name: 0 for each in endpoint.deployments}, deployment: 100}
    endpoint = doing.workspace.endpoints.set_traffic(name, traffic, by=BY, expected=endpoint.traffic)
    left_s = SETTLED_TIMEOUT_S
    while not endpoint.settled and left_s > 0:
        doing.sleep(doing.look_s)
        left_s -= doing.look_s
        endpoint = doing.workspace.endpoints.get(name)
    outputs = {"promoted": True, "traffic": dict(endpoint.traffic), "previous": before}
    return Done(outputs, f"{name}/{deployment} has all traffic")


def command(doing: Doing) -> Done:
    """Run the program, or call the function, that the definition brings along."""
    return Done(own.run(doing.step, doing.inputs, doing.before, doing.outputs))


def _deployment(workspace: Workspace, endpoint: str, name: str) -> Any:
    return next(each for each in workspace.endpoints.get(endpoint).deployments if each.name == name)


KINDS: Mapping[StepKind, Callable[[Doing], Done]] = {
    StepKind.PREPARE: prepare,
    StepKind.GUARDRAILS: guardrails,
    StepKind.AUTOML: automl,
    StepKind.REGISTER: register,
    StepKind.DEPLOY: deploy,
    StepKind.GATE: gate,
    StepKind.PROMOTE: promote,
    StepKind.COMMAND: command,
    StepKind.PYTHON: command,
}
