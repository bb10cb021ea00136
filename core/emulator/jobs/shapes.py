"""How Azure shows a job: the fields that every job has, with its defaults (after the recordings of the SDK's tests)."""

from collections.abc import Mapping
from typing import Any

from core.emulator.arm.resources import WHO
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.jobs.runs import Run
from core.emulator.messages import Document


def services(emulation: Emulation, run_id: str) -> Document:
    """Where a job is tracked, and its page in the studio."""
    names = emulation.names
    tracking = f"azureml://{names.api_host}/mlflow/v1.0{names.workspace_path}?"
    studio = (
        f"https://ml.azure.com/runs/{run_id}?wsid=/subscriptions/{names.subscription}"
        f"/resourcegroups/{names.resource_group}/workspaces/{names.workspace}"
    )
    return {
        kind: {
            "jobServiceType": kind,
            "port": None,
            "endpoint": endpoint,
            "status": None,
            "errorMessage": None,
            "properties": None,
            "nodes": None,
        }
        for kind, endpoint in (("Tracking", tracking), ("Studio", studio))
    }


def common(emulation: Emulation, name: str, sent: Mapping[str, Any]) -> Document:
    """What jobs of all types have, with what was sent in it."""
    return {
        "description": sent.get("description"),
        "tags": dict(sent.get("tags") or {}),
        "properties": dict(sent.get("properties") or {}),
        "displayName": sent.get("displayName") or name,
        "status": "NotStarted",
        "experimentName": sent.get("experimentName") or "Default",
        "services": services(emulation, name),
        "computeId": sent.get("computeId"),
        "isArchived": bool(sent.get("isArchived")),
        "identity": sent.get("identity"),
        "componentId": sent.get("componentId"),
        "notificationSetting": sent.get("notificationSetting"),
        "secretsConfiguration": sent.get("secretsConfiguration"),
        "jobType": sent["jobType"],
    }


def job_input(given: Mapping[str, Any] | None) -> Document | None:
    """An input as it is shown: a table or folder is mounted unless something else was asked for."""
    if given is None:
        return None
    shown: Document = {"description": given.get("description")}
    if str(given.get("jobInputType", "")).lower() == "literal":
        return shown | {"jobInputType": given["jobInputType"], "value": given.get("value")}
    return (
        shown
        | {
            "uri": given.get("uri"),
            "mode": given.get("mode") or "ReadOnlyMount",
            "jobInputType": given.get("jobInputType"),
        }
        | ({"pathOnCompute": given["pathOnCompute"]} if given.get("pathOnCompute") else {})
    )


def job_inputs(given: Mapping[str, Any] | None) -> Document:
    """All inputs of a job, by name."""
    return {name: job_input(value) for name, value in (given or {}).items()}


def default_output(run_id: str) -> Document:
    """Where a run's own files lie: what it wrote below `outputs`, and its logs."""
    return {
        "default": {
            "description": None,
            "uri": f"azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.{run_id}",
            "assetName": None,
            "assetVersion": None,
            "mode": "ReadWriteMount",
            "jobOutputType": "uri_folder",
        }
    }


def now_shown(resource: Document, run: Run) -> Document:
    """A job's document with what its run says now."""
    properties = resource["properties"] | {
        "status": run.status,
        "tags": dict(run.tags),
        "properties": dict(run.properties),
        "displayName": run.display_name,
        "description": run.description,
        "isArchived": run.archived,
    }
    return resource | {"properties": properties}


def created(emulation: Emulation) -> Document:
    """Who made a job, and when: a job is not said to be modified."""
    return {"createdAt": iso(emulation.clock.now()), "createdBy": WHO, "createdByType": "Application"}
