"""The data plane of a batch endpoint: a POST starts a job, and a GET tells which there were."""

import uuid

from core.emulator import entra
from core.emulator.arm.resources import WORKSPACE, known
from core.emulator.emulation import Emulation
from core.emulator.endpoints import batch_deployments, batch_work, online
from core.emulator.endpoints.checks import refused
from core.emulator.jobs import kind as jobs
from core.emulator.jobs import shapes
from core.emulator.jobs.starting import start_pipeline
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.names import NAMESPACE
from core.emulator.routes import Route

AUDIENCE = "https://ml.azure.com"
SETTINGS = "ComponentDeployment.Settings."
DEPLOYMENT = "azureml-model-deployment"
REPEATED = ("repeatability_request-id", "repeatability-request-id", "repeatability-first-sent-id")
"""The SDK's spelling of the header first: a request with an id that was seen has the job that came of it."""


def invoke(emulation: Emulation, request: Request) -> Reply:
    """Start a job of a deployment: the one in the header, or the endpoint's default."""
    endpoint = _endpoint(emulation, request)
    deployment = _deployment(emulation, endpoint, request.headers.get(DEPLOYMENT, ""))
    said = next((request.headers[name] for name in REPEATED if request.headers.get(name)), "")
    key = f"invocation/{endpoint['id'].lower()}/{said}"
    with emulation.state.lock:
        before = emulation.state.get(key) if said else None
        if before:
            return Reply(201, shown(emulation, before), _location(emulation, before))
        kept = _started(emulation, endpoint, deployment, request.document())
        emulation.state.put(f"batch-job/{endpoint['name'].lower()}/{kept['job']}", kept)
        if said:
            emulation.state.put(key, kept)
    return Reply(201, shown(emulation, kept), _location(emulation, kept))


def _location(emulation: Emulation, kept: Document) -> dict[str, str]:
    host = emulation.names.scoring_host(kept["endpoint"].lower())
    return {"Location": f"https://{host}/jobs/{kept['job']}"}


def _endpoint(emulation: Emulation, request: Request) -> Document:
    """The batch endpoint of the host's name. Raises AzureError 401, 403 and 404."""
    name = request.host.partition(".")[0]
    found: Document | None = emulation.state.get(f"{emulation.names.workspace_path}/batchEndpoints/{name}")
    if found is None:
        raise AzureError(404, "NotFound", f"The batch endpoint '{name}' was not found")
    claims = entra.claims(emulation, request)
    if str(claims.get("aud", "")).rstrip("/") != AUDIENCE:
        raise AzureError(403, "Forbidden", f"The token is for {claims.get('aud')}, expected one for {AUDIENCE}")
    return found


def _deployment(emulation: Emulation, endpoint: Document, asked: str) -> Document:
    """The one that is asked for, else the default, else the only one. Raises AzureError 400 and 404."""
    known = online.deployments_of(emulation, endpoint["id"])
    only = next(iter(known)) if len(known) == 1 else ""
    name = asked or endpoint["properties"]["defaults"]["deploymentName"] or only
    if not name:
        raise refused(f"The batch endpoint '{endpoint['name']}' has no default deployment.", "BadArgument")
    found = known.get(name.lower())
    if found is None:
        raise refused(f"The deployment '{name}' was not found.", "ResourceNotFound", 404)
    if batch_deployments.read(emulation, found)["properties"]["provisioningState"] != "Succeeded":
        raise refused(f"The deployment '{name}' is not ready.", "BadArgument")
    return found


def _started(emulation: Emulation, endpoint: Document, deployment: Document, body: Document) -> Document:
    """Start the job that was asked for, and give what is remembered of it."""
    asked = {name[:1].lower() + name[1:]: value for name, value in (body.get("properties") or {}).items()}
    inputs = asked.get("inputData") or {}
    if not isinstance(inputs, dict) or not all(isinstance(each, dict) for each in inputs.values()):
        raise refused("inputData is no object of inputs by name.", "BadArgument")
    inputs = {name: _input(given) for name, given in inputs.items()}
    component = batch_deployments.component_of(deployment)
    name = str(asked.get("name") or (str(uuid.uuid4()) if component else f"batchjob-{uuid.uuid4()}"))
    if emulation.state.get(f"{emulation.names.workspace_path}/jobs/{name}") is not None:
        raise refused(f"There is a job '{name}' already.", "Conflict", 409)
    experiment = str((asked.get("properties") or {}).get("experimentName") or endpoint["name"])
    kept = {
        "job": name, "endpoint": endpoint["name"], "deployment": deployment["name"], "inputs": inputs,
        "component": bool(component), "compute": deployment["properties"]["compute"],
        "retry": None if component else deployment["properties"]["retrySettings"],
    }  # fmt: skip
    if component:
        _pipeline(emulation, deployment, component, name, inputs, asked.get("outputData") or {}, experiment)
    else:
        batch_work.submit(emulation, deployment, name, inputs, experiment)
    return kept


def _input(given: Document) -> Document:
    """An input with the names of its fields as Azure spells them."""
    spelled = {name[:1].lower() + name[1:]: value for name, value in given.items()}
    return spelled | {"jobInputType": spelled.get("jobInputType") or spelled.get("type") or "UriFolder"}


def _pipeline(
    emulation: Emulation,
    deployment: Document,
    component: str,
    name: str,
    inputs: Document,
    outputs: Document,
    experiment: str,
) -> None:
    """Run the deployment's pipeline as a job of the workspace."""
    properties = deployment["properties"]
    given = _settings(properties)
    compute = given.pop("default_compute", None) or properties["compute"]
    start_pipeline(
        emulation,
        {
            "componentId": batch_deployments.component_document(emulation, component)["id"],
            **({"computeId": compute} if compute else {}),
        },
        inputs,
        outputs=outputs,
        name=name,
        experiment=experiment,
        tags={"azureml.deploymentname": deployment["name"]},
        properties={
            "azureml.runLineageType": "batchDeployment", "runSource": "BatchDeployment", "runType": "HTTP",
        },
        settings=given,
    )  # fmt: skip


def _settings(properties: Document) -> Document:
    """Of a pipeline deployment; they stood among the properties while that was new."""
    earlier = {
        name.removeprefix(SETTINGS): value
        for name, value in properties["properties"].items()
        if name.startswith(SETTINGS)
    }
    return earlier | ((properties.get("deploymentConfiguration") or {}).get("settings") or {})


def shown(emulation: Emulation, kept: Document) -> Document:
    """A batch job as Azure's data plane tells it."""
    names, name = emulation.names, kept["job"]
    document = emulation.state.get(f"{names.workspace_path}/jobs/{name}")
    now = jobs.read(emulation, document) if document else {}
    job = now.get("properties", {})
    middle = "" if kept["component"] else f"/deployments/{kept['deployment']}"
    status = {"NotStarted": "Preparing", "Queued": "Preparing"}.get(job.get("status", ""), job.get("status", "Failed"))
    properties: Document = {
        "provisioningState": "Succeeded",
        "inputData": {key: _told(given) for key, given in kept["inputs"].items()},
        "compute": {
            "target": kept["compute"], "instanceCount": None, "isLocal": False, "location": None, "instanceType": None,
            "properties": None,
        },
        "output": {"datastoreId": None, "path": None},
        "status": status,
        "interactionEndpoints": {
            each: {"jobEndpointType": each, "port": None, "endpoint": service["endpoint"], "properties": None}
            for each, service in shapes.services(emulation, name).items()
        },
        "tags": {"azureml.deploymentname": kept["deployment"], **(job.get("tags") or {})},
        "properties": job.get("properties") or {},
        "name": name,
    }  # fmt: skip
    if kept.get("retry"):
        properties["retrySettings"] = kept["retry"]
    made = now.get("systemData") or {}
    modified = {"lastModifiedAt": made.get("createdAt"), "lastModifiedBy": made.get("createdBy")}
    return {
        "id": f"{names.workspace_path}/batchEndpoints/{kept['endpoint']}{middle}/jobs/{name}",
        "name": name,
        "type": f"{NAMESPACE}/workspaces/batchEndpoints{'/deployments' if middle else ''}/jobs",
        "properties": properties,
        "systemData": made | modified,
    }


def _told(given: Document) -> Document:
    literal = str(given["jobInputType"]).lower() == "literal"
    return {"description": None, **({} if literal else {"mode": "ReadOnlyMount"}), **given}


def _of(emulation: Emulation, endpoint: str) -> list[Document]:
    return [kept for _, kept in emulation.state.below(f"batch-job/{endpoint.lower()}/")]


def listed(emulation: Emulation, request: Request) -> Reply:
    """The jobs of the endpoint of the host's name, the newest first."""
    found = _of(emulation, _endpoint(emulation, request)["name"])
    return Reply(body={"value": [shown(emulation, kept) for kept in reversed(found)]})


def one(emulation: Emulation, request: Request) -> Reply:
    """A job of the endpoint of the host's name."""
    name = _endpoint(emulation, request)["name"]
    kept = emulation.state.get(f"batch-job/{name.lower()}/{request.found['job']}")
    if kept is None:
        raise AzureError(404, "NotFound", f"The job '{request.found['job']}' was not found")
    return Reply(body=shown(emulation, kept))


def managed(emulation: Emulation, request: Request) -> Reply:
    """The same list by way of the management front end, of an endpoint or of one deployment."""
    known(emulation, request)
    endpoint, deployment = request.found["endpoint"], request.found.get("deployment")
    if emulation.state.get(f"{emulation.names.workspace_path}/batchEndpoints/{endpoint}") is None:
        raise AzureError(404, "UserError", f"The batch endpoint '{endpoint}' was not found")
    found = [
        kept
        for kept in _of(emulation, endpoint)
        if deployment is None or kept["deployment"].lower() == deployment.lower()
    ]
    return Reply(body={"value": [shown(emulation, kept) for kept in reversed(found)]})


_MANAGED = "/mferp/managementfrontend" + WORKSPACE + "/batchEndpoints/{endpoint}"
ROUTES = (
    Route("POST", "scoring", "/jobs", invoke),
    Route("GET", "scoring", "/jobs", listed),
    Route("GET", "scoring", "/jobs/{job}", one),
    Route("GET", "api", _MANAGED + "/jobs", managed),
    Route("GET", "api", _MANAGED + "/deployments/{deployment}/jobs", managed),
)
