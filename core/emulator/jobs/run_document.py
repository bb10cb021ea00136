"""A run as run history shows it."""

from typing import Any

from core.emulator.arm.resources import WHO
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.jobs import automl_settings, experiments, outputs, runs
from core.emulator.jobs.runs import Run
from core.emulator.messages import Document

RUN_TYPES = {
    "automl": "automl", "trial": "azureml.scriptrun", "phase": "automl.setup", "command": "azureml.scriptrun",
    "step": "azureml.StepRun", "pipeline": "azureml.PipelineRun", "mlflow": "azureml.scriptrun",
}  # fmt: skip


def document(emulation: Emulation, run: Run) -> Document:
    """A run in all its fields."""
    names = emulation.names
    who = {
        "userObjectId": names.client, "userPuId": None, "userIdp": None, "userAltSecId": None,
        "userIss": f"https://sts.windows.net/{names.tenant}/", "userTenantId": names.tenant, "userName": WHO,
        "upn": None,
    }  # fmt: skip
    kind = RUN_TYPES.get(run.kind, "azureml.scriptrun")
    duration = _duration(emulation, run)
    parent, root = (runs.find(emulation, each) if each else None for each in (run.parent, run.root))
    cancel = f"https://{names.api_host}/history/v1.0{names.workspace_path}/runs/{run.id}/cancel"
    nothing: dict[str, Any] = dict.fromkeys(
        (
            "token", "tokenExpiryTimeUtc", "lastStartTimeUtc", "currentComputeTime",
            "cancelationReason", "scheduleId", "scriptName", "runDefinition", "jobSpecification", "primaryMetricName",
            "createdFrom", "completeUri", "diagnosticsUri", "computeRequest", "retainForLifetimeOfWorkspace",
            "queueingInfo", "inputs",
        )
    )  # fmt: skip
    return nothing | {
        "runNumber": int(run.created_at),
        "rootRunId": run.root or run.id,
        "createdUtc": iso(run.created_at),
        "createdBy": who,
        "userId": names.client,
        "error": _error(run),
        "warnings": _warnings(run),
        "revision": 1,
        "statusRevision": 1,
        "runUuid": run.number,
        "parentRunUuid": parent.number if parent else None,
        "rootRunUuid": root.number if root else run.number,
        "computeDuration": duration,
        "effectiveStartTimeUtc": iso(run.started_at) if run.started_at else None,
        "lastModifiedBy": who,
        "lastModifiedUtc": iso(run.ended_at or run.started_at or run.created_at),
        "duration": duration,
        "currentAttemptId": 1,
        "runId": run.id,
        "parentRunId": run.parent or None,
        "experimentId": experiments.number(emulation, run.experiment),
        "status": run.status,
        "startTimeUtc": iso(run.started_at) if run.started_at else None,
        "endTimeUtc": iso(run.ended_at) if run.ended_at else None,
        "displayName": run.display_name,
        "name": run.display_name,
        "dataContainerId": f"dcid.{run.id}",
        "description": run.description,
        "hidden": run.archived,
        "runType": kind,
        "runTypeV2": {"orchestrator": None, "traits": [kind], "attribution": None, "computeType": None},
        "properties": {name: value for name, value in run.properties.items() if value is not None},
        "parameters": dict(run.params),
        "actionUris": {"Cancel": cancel},
        "target": run.compute or None,
        "uniqueChildRunComputeTargets": [],
        "tags": dict(run.tags),
        "settings": {},
        "services": {},
        "inputDatasets": [],
        "outputDatasets": [],
        "cancelUri": cancel,
        "compute": {"target": run.compute, "targetType": "amlcompute"} if run.compute else None,
        "outputs": {name: outputs.asset(emulation, run, name) for name in run.outputs} or None,
    }


def _error(run: Run) -> Document | None:
    if run.error is None:
        return None
    nothing: dict[str, Any] = dict.fromkeys(
        ("severity", "messageFormat", "messageParameters", "referenceCode", "detailsUri", "target", "innerError")
    )
    return {
        "error": {**nothing, "code": run.error["code"], "message": run.error["message"], "details": []},
        "correlation": None,
        "environment": None,
        "location": None,
        "time": iso(run.ended_at or run.created_at),
        "componentName": "Slipway's emulation",
    }


def _warnings(run: Run) -> list[Document] | None:
    told = automl_settings.unused(run.local["task"]) if run.kind == "automl" else []
    return [{"source": WHO, "message": each} for each in told] or None


def _duration(emulation: Emulation, run: Run) -> str:
    if run.started_at is None:
        return "00:00:00"
    seconds = max(0.0, (run.ended_at or emulation.clock.now()) - run.started_at)
    return f"{int(seconds // 3600):02d}:{int(seconds % 3600 // 60):02d}:{seconds % 60:010.7f}"
