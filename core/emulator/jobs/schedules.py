"""Schedules: the ARM type `schedules`. They start jobs by the emulation's clock, which can be wound forward."""

import logging
import uuid
from typing import Any

from core.emulator.arm import operations
from core.emulator.arm.kinds import Kind
from core.emulator.arm.resources import WORKSPACE, known
from core.emulator.emulation import Emulation
from core.emulator.jobs import pipeline_job, runs, triggers
from core.emulator.jobs.kind import submit
from core.emulator.jobs.refusals import user_error
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.routes import Route

log = logging.getLogger(__name__)
CAUGHT_UP = 100
"""So many missed fires start jobs when the clock is wound far; the earliest of more are left out."""


def put(emulation: Emulation, request: Request, before: Document | None, wanted: Document) -> Document:
    """Make a schedule or replace what it does; a replaced one does not make up for what it has missed."""
    sent = wanted["properties"]
    action = dict(sent.get("action") or {})
    if str(action.get("actionType", "")).lower() != "createjob":
        kind = action.get("actionType")
        raise user_error(f"action: the emulation has schedules that create jobs, and none of the type '{kind}'.")
    definition = _definition(emulation, dict(action.get("jobDefinition") or {}))
    now = emulation.clock.now()
    trigger = triggers.shown(sent.get("trigger") or {})
    enabled = sent.get("isEnabled", True) is not False
    if enabled:
        triggers.check(trigger, now)
    else:
        triggers.spec(trigger)
    kept = emulation.state.get(_key(wanted["name"]), {})
    emulation.state.put(_key(wanted["name"]), {"since": kept.get("since", now), "considered": now})
    properties = {
        "description": sent.get("description"),
        "tags": dict(sent.get("tags") or {}),
        "properties": dict(sent.get("properties") or {}),
        "displayName": sent.get("displayName"),
        "isEnabled": enabled,
        "trigger": trigger,
        "action": {"actionType": "CreateJob", "jobDefinition": definition},
        "provisioningState": "Creating",
    }
    return wanted | {"properties": properties}


def read(emulation: Emulation, resource: Document) -> Document:
    """A schedule that has been looked at is there, and begins where it was not told when."""
    if resource["properties"]["provisioningState"] != "Creating":
        return resource
    trigger = resource["properties"]["trigger"]
    if trigger["startTime"] is None:
        trigger = trigger | {"startTime": triggers.local_now(trigger, emulation.clock.now())}
    return resource | {"properties": resource["properties"] | {"provisioningState": "Succeeded", "trigger": trigger}}


def delete(emulation: Emulation, request: Request) -> Reply:
    """Remove a schedule that is disabled; the deletion of an enabled one fails, as on Azure."""
    known(emulation, request)
    path = f"{emulation.names.workspace_path}/schedules/{request.found['name']}"
    with emulation.state.lock:
        kept = emulation.state.get(path)
        if kept is None:
            return Reply(204)
        if kept["properties"]["isEnabled"]:
            message = f"Cannot delete an active trigger {kept['name']}"
            return operations.refused(
                emulation, request, {"code": "UserError", "message": message, "details": [], "additionalInfo": []}
            )
        headers = operations.begun(emulation, KIND, kept, "delete", request)
        emulation.state.delete(path)
        emulation.state.delete(_key(kept["name"]))
    return Reply(202, headers=headers)


def trigger_now(emulation: Emulation, resource: Document, request: Request) -> Reply:
    """Start the job that the schedule would start, also while it is disabled."""
    job = _fire(emulation, resource, emulation.clock.now())
    return Reply(body={"scheduleActionType": "CreateJob", "submissionId": job})


def look_after(emulation: Emulation) -> None:
    """Start the jobs that are due."""
    now = emulation.clock.now()
    for _, resource in list(emulation.state.below(f"{emulation.names.workspace_path}/schedules/")):
        kept = emulation.state.get(_key(resource["name"]))
        if kept is None or not resource["properties"]["isEnabled"]:
            continue
        due = _due(resource, kept, now)
        if due:
            _fire_all(emulation, resource, due)


def matches(resource: Document, request: Request) -> bool:
    """By `listViewType`: the enabled ones unless others are asked for."""
    wanted = request.query.get("listviewtype", "EnabledOnly").lower()
    return wanted == "all" or bool(resource["properties"]["isEnabled"]) == (wanted != "disabledonly")


def _due(resource: Document, kept: Document, now: float) -> list[float]:
    trigger, after, found = resource["properties"]["trigger"], kept["considered"], []
    while (at := triggers.following(trigger, after, kept["since"])) is not None and at <= now:
        found.append(at)
        after = at
    return found[-CAUGHT_UP:]


def _fire_all(emulation: Emulation, resource: Document, due: list[float]) -> None:
    for at in due:
        with emulation.state.lock:
            kept = emulation.state.get(_key(resource["name"]))
            if kept is None or kept["considered"] >= at:
                continue
            emulation.state.put(_key(resource["name"]), kept | {"considered": at})
        try:
            _fire(emulation, resource, at)
        except AzureError as e:
            log.warning("Schedule %s could not start its job: %s", resource["name"], e.message)
            _failed_fire(emulation, resource, e)


def _fire(emulation: Emulation, resource: Document, at: float) -> str:
    """Start a job, and give its name."""
    definition: dict[str, Any] = dict(resource["properties"]["action"]["jobDefinition"])
    said = {"azureml.scheduleName": str(resource["name"]), "azureml.scheduleTime": f"{at:.0f}"}
    definition["properties"] = {**(definition.get("properties") or {}), **said}
    job = submit(emulation, f"{resource['name']}-{uuid.uuid4().hex[:12]}", definition)
    emulation.state.put(runs.job_path(emulation, job["name"]), job)
    return str(job["name"])


def _failed_fire(emulation: Emulation, resource: Document, error: AzureError) -> None:
    """What could not be started is told with the schedule."""
    kept = emulation.state.get(resource["id"])
    if kept is not None:
        told = {**kept["properties"]["properties"], "azureml.lastError": error.message}
        emulation.state.put(resource["id"], kept | {"properties": kept["properties"] | {"properties": told}})


def _definition(emulation: Emulation, sent: Document) -> Document:
    """The job to start, as it is shown; one by the id of an earlier job keeps that."""
    if not sent.get("jobType"):
        raise user_error("action: a schedule needs the definition of a job.")
    if sent["jobType"] == "Pipeline":
        pipeline_job.defined(emulation, sent)
    nothing: Document = dict.fromkeys(
        ("description", "services", "computeId", "identity", "componentId", "notificationSetting")
    )
    if sent["jobType"] == "Pipeline":
        nothing |= dict.fromkeys(("tags", "properties", "displayName", "settings", "jobs", "inputs", "outputs"))
        nothing["sourceJobId"] = None
    experiment = "" if sent.get("sourceJobId") else "Default"
    return nothing | {"experimentName": experiment, "isArchived": False, "status": "NotStarted"} | {
        name: value for name, value in sent.items() if value is not None
    }  # fmt: skip


def _key(name: str) -> str:
    return f"schedule/{name}"


KIND = Kind(
    "schedules", put=put, read=read, actions={"trigger": trigger_now}, takes_time=True, matches=matches, prefix="s"
)
ROUTES = (Route("DELETE", "arm", WORKSPACE + "/schedules/{name}", delete),)
