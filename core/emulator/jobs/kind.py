"""The ARM type `jobs`: submit, show, list, cancel, archive and delete jobs of every type."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from core.emulator.arm.kinds import Kind
from core.emulator.arm.operations import soon
from core.emulator.emulation import Emulation
from core.emulator.jobs import automl_job, command, ending, experiments, pipeline_job, references, runs
from core.emulator.jobs.refusals import not_emulated, user_error
from core.emulator.jobs.runs import Run
from core.emulator.jobs.shapes import created, now_shown
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.names import ARM_HOST, NAMESPACE
from core.emulator.routes import Route

Made = Callable[[Emulation, str, Document], tuple[Document, Run]]
MADE: Mapping[str, Made] = {
    "automl": automl_job.made,
    "command": command.made,
    "pipeline": pipeline_job.made,
}
"""Type of job, in small letters -> (emulation, name, properties as they were sent) -> how it is shown, and its run."""

CANCELED = "jc"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
"""As Microsoft's schema of the REST interface has it."""
TAKEN = (
    "A job with this name already exists. If you are trying to create a new job, use a different name. If you are"
    " trying to update an existing job, the existing job's {what} cannot be changed. Only description, tags,"
    " displayName, properties, and isArchived can be updated."
)


def put(emulation: Emulation, request: Request, before: Document | None, wanted: Document) -> Document:
    """A new job, or a change of what may be changed of one that is there."""
    sent = wanted["properties"]
    if before is not None:
        return _changed(emulation, before, sent)
    if not NAME.fullmatch(wanted["name"]):
        raise user_error(
            f"The name of a job has 1 to 255 letters, digits, '-' and '_', and begins with a letter or digit; got"
            f" '{wanted['name'][:80]}'."
        )
    references.check(emulation, sent)
    return submit(emulation, wanted["name"], sent) | {"id": wanted["id"]}


def submit(emulation: Emulation, name: str, sent: Document) -> Document:
    """Accept a job, and give its document; what does its work looks after it from then on."""
    job_type = str(sent.get("jobType", ""))
    if job_type.lower() not in MADE:
        raise not_emulated(job_type)
    check_compute(emulation, sent.get("computeId"))
    properties, run = MADE[job_type.lower()](emulation, name, sent)
    experiments.ensure(emulation, run.experiment)
    runs.keep(emulation, run)
    document = {
        "id": runs.job_path(emulation, name),
        "name": name,
        "type": f"{NAMESPACE}/workspaces/jobs",
        "properties": properties,
        "systemData": created(emulation),
    }
    return now_shown(document, run)


def check_compute(emulation: Emulation, compute_id: str | None) -> None:
    """Raises AzureError 400 for a compute that is not there; none is serverless."""
    name = compute_name(compute_id)
    if not name or name.lower() in ("serverless", "local"):
        return
    if emulation.state.get(f"{emulation.names.workspace_path}/computes/{name}") is None:
        raise user_error(f"Unknown compute target '{name}'.")


def compute_name(compute_id: str | None) -> str:
    """The name of a compute, from its ARM id or its name."""
    return (compute_id or "").rstrip("/").rpartition("/")[2].removeprefix("azureml:")


def read(emulation: Emulation, resource: Document) -> Document:
    """A job as it is now."""
    run = runs.find(emulation, resource["name"])
    if run is None or "properties" not in resource:
        return resource
    return now_shown(resource, ending.advanced(emulation, run))


def delete(emulation: Emulation, resource: Document) -> None:
    """Remove what has come of a job. Raises AzureError while it goes on."""
    run = runs.find(emulation, resource["name"])
    if run is not None and not ending.advanced(emulation, run).final:
        raise AzureError(409, "UserError", f"Job {run.id} goes on: cancel it before you delete it.")
    runs.forget(emulation, resource["name"])


def cancel(emulation: Emulation, resource: Document, request: Request) -> Reply:
    """Ask a job to end; whoever wants to know when it has follows `Location`."""
    run = ending.advanced(emulation, runs.get(emulation, resource["name"]))
    if run.final:
        return Reply(200)
    ending.cancel(emulation, run)
    names = emulation.names
    location = (
        f"https://{ARM_HOST}/subscriptions/{names.subscription}/providers/{NAMESPACE}/locations/{names.region}"
        f"/mfeOperationResults/{CANCELED}:{names.workspace_id}:{run.id}?api-version={request.api_version}"
    )
    return Reply(202, None, {"Location": location, "x-ms-async-operation-timeout": "PT1H", **soon(emulation)})


def canceled(emulation: Emulation, request: Request) -> Reply:
    """Whether a job that was asked to end has ended: 202 until then."""
    run = runs.get(emulation, request.found["job"])
    if ending.advanced(emulation, run).final:
        return Reply(200)
    here = f"https://{ARM_HOST}{request.path}?{request.raw_query}"
    return Reply(202, None, {"Location": here, **soon(emulation)})


def matches(resource: Document, request: Request) -> bool:
    """Whether a list shows a job: not a child, and what the filters say."""
    properties, query = resource.get("properties"), request.query
    if properties is None:
        return False
    view = query.get("listviewtype", "ActiveOnly").lower()
    if view != "all" and properties["isArchived"] != (view == "archivedonly"):
        return False
    if (job_type := query.get("jobtype")) and properties["jobType"].lower() != job_type.lower():
        return False
    if (tag := query.get("tag")) and tag not in properties["tags"]:
        return False
    schedule = properties["properties"].get("azureml.scheduleName")
    if (wanted := query.get("scheduleid")) and schedule != wanted.rstrip("/").rpartition("/")[2]:
        return False
    return not ("scheduled" in query and bool(schedule) != (query["scheduled"].lower() == "true"))


def _changed(emulation: Emulation, before: Document, sent: Document) -> Document:
    run = runs.find(emulation, before["name"])
    if run is None or "properties" not in before:
        raise user_error(f"Job {before['name']} is a child of another job, and cannot be changed here.")
    was = before["properties"]
    if str(sent.get("jobType", was["jobType"])).lower() != was["jobType"].lower() or (
        "computeId" in sent and sent["computeId"] != was["computeId"]
    ):
        raise user_error(
            f"A job with this name already exists: {run.id}. If you are trying to submit a new job, use a different"
            " name. If you are trying to update an existing job, the existing job's compute and type cannot be changed."
        )
    if sent.get("command") and was.get("command") and sent["command"] != was["command"]:
        raise AzureError(409, "UserError", TAKEN.format(what="command"))
    kept = replace(
        run,
        description=sent.get("description", run.description),
        display_name=sent.get("displayName") or run.display_name,
        tags=dict(sent["tags"]) if sent.get("tags") is not None else run.tags,
        properties={**run.properties, **(sent.get("properties") or {})},
        archived=bool(sent.get("isArchived", run.archived)),
    )
    runs.keep(emulation, kept)
    return now_shown(before, kept)


KIND = Kind("jobs", put=put, read=read, delete=delete, actions={"cancel": cancel}, matches=matches, newest_first=True)
ROUTES = (
    Route(
        "GET",
        "arm",
        "/subscriptions/{subscription}/providers/" + NAMESPACE + "/locations/{location}/mfeOperationResults/"
        + CANCELED + ":{workspace}:{job}",
        canceled,
    ),
)  # fmt: skip
