"""The resource `onlineEndpoints/deployments`: a model behind an endpoint of the workspace, or code of a client."""

from core.domain.endpoint import DeploymentSpec, DeploymentState
from core.domain.errors import ServiceUnavailable, SlipwayError
from core.domain.names import slug
from core.emulator.arm import operations
from core.emulator.arm.kinds import Kind
from core.emulator.arm.resources import WORKSPACE, known
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.endpoints import logs, models, online, own_code, places
from core.emulator.endpoints.checks import INSTANCE_TYPE, check_name, refused, seconds
from core.emulator.endpoints.places import Place
from core.emulator.faults import wanted
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.names import NAMESPACE
from core.emulator.routes import Route

TROUBLE = "Please see troubleshooting guide, available here: https://aka.ms/oe-tsg#error-resourcenotready"
PROBE = {
    "failureThreshold": 30, "successThreshold": 1, "timeout": "PT2S", "period": "PT10S", "initialDelay": "PT10S",
}  # fmt: skip
REQUESTS = {"maxQueueWait": "PT0S", "requestTimeout": "PT5S", "maxConcurrentRequestsPerInstance": 1}
REQUEST_TIMEOUT_MAX_S = 180
INSTANCES_MAX = 50
START_MAX_S = 60.0
"""How long a model may take until it answers, in real seconds."""


def put(emulation: Emulation, request: Request, before: Document | None, given: Document) -> Document:
    """Check what was sent, and bring the model or the code behind the endpoint; whatever fails there is told later."""
    name, model = given["name"], given["properties"].get("model")
    check_name("deployment", name)
    endpoint_id = given["id"].rpartition("/deployments/")[0]
    place = places.place_of(emulation, endpoint_id)
    if place is None:
        raise refused(f"The endpoint '{endpoint_id.rpartition('/')[2]}' was not found.", "ResourceNotFound", 404)
    kept = _kept(emulation, given, before)
    _check(kept)
    if model:
        models.named(emulation, model)  # one that is not there is refused at once
    same = before and all(before["properties"].get(part) == kept["properties"].get(part) for part in WHAT_SERVES)
    if same and before and before["properties"]["provisioningState"] == "Succeeded":
        return kept
    logs.begin(emulation, given["id"])
    try:
        _go_wrong(emulation, kept)
        _bring(emulation, place, kept)
    except (SlipwayError, AzureError, OSError) as e:
        logs.trace(emulation, given["id"])
        return operations.failed(emulation, kept, *_cause(e))
    places.awake(emulation)
    return kept


def _go_wrong(emulation: Emulation, kept: Document) -> None:
    """Where somebody has asked for that: see `faults`. Raises ServiceUnavailable."""
    if wanted(emulation, "crash-at-start", kept["name"]):
        raise ServiceUnavailable("RuntimeError: a fault was asked for: the deployment crashes at its start")
    if wanted(emulation, "bad-liveness", kept["name"]):
        probe = kept["properties"]["livenessProbe"]
        for _ in range(min(int(probe["failureThreshold"]), 3)):
            logs.write(emulation, kept["id"], f"{logs.stamp(emulation.clock.now())} E GET / answered 502 Bad Gateway")
        raise ServiceUnavailable("Liveness probe failed: HTTP probe failed with statuscode: 502")


WHAT_SERVES = ("model", "codeConfiguration", "environmentId", "environmentVariables", "modelMountPath")
"""Where one of these changes, the model is brought anew."""


def _kept(emulation: Emulation, sent: Document, before: Document | None) -> Document:
    given = sent["properties"]
    sku = dict(sent.get("sku") or {})
    properties = {
        "description": given.get("description"),
        "properties": dict(given.get("properties") or {}),
        "codeConfiguration": given.get("codeConfiguration"),
        "environmentId": given.get("environmentId"),
        "environmentVariables": dict(given.get("environmentVariables") or {}),
        "scaleSettings": given.get("scaleSettings") or {"scaleType": "Default"},
        "requestSettings": REQUESTS | _said(given.get("requestSettings")),
        "modelMountPath": given.get("modelMountPath"),
        "appInsightsEnabled": bool(given.get("appInsightsEnabled")),
        "livenessProbe": PROBE | _said(given.get("livenessProbe")),
        "readinessProbe": PROBE | _said(given.get("readinessProbe")),
        "provisioningState": "Updating" if before else "Creating",
        "instanceType": given.get("instanceType") or "Standard_DS3_v2",
        "model": given.get("model"),
        "egressPublicNetworkAccess": given.get("egressPublicNetworkAccess") or "Enabled",
        "endpointComputeType": given.get("endpointComputeType") or "Managed",
    }
    for optional in ("dataCollector", "privateNetworkConnection"):
        if given.get(optional) is not None:
            properties[optional] = given[optional]
    return {
        **{part: sent[part] for part in ("id", "name", "type", "systemData")},
        "tags": sent.get("tags") or {},
        "location": sent.get("location") or emulation.names.region,
        "kind": sent.get("kind") or "Managed",
        "sku": {
            "name": sku.get("name") or "Default",
            "tier": sku.get("tier") or "Standard",
            "capacity": 1 if sku.get("capacity") is None else sku["capacity"],
        },
        "properties": properties,
    }


def _said(settings: Document | None) -> Document:
    return {name: value for name, value in (settings or {}).items() if value is not None}


def _check(kept: Document) -> None:
    """Raises AzureError 400."""
    properties, instances = kept["properties"], kept["sku"]["capacity"]
    if properties["endpointComputeType"] != "Managed":
        raise refused(
            f"The emulation has managed deployments alone, not '{properties['endpointComputeType']}'.", "NotSupported"
        )
    if not INSTANCE_TYPE.fullmatch(str(properties["instanceType"])):
        raise refused(f"The instance type '{properties['instanceType']}' is not supported.", "BadArgument")
    if isinstance(instances, bool) or not isinstance(instances, int) or not 1 <= instances <= INSTANCES_MAX:
        raise refused(f"The instance count is {instances!r}, expected 1 to {INSTANCES_MAX}.", "BadArgument")
    if seconds(properties["requestSettings"]["requestTimeout"], 5.0) > REQUEST_TIMEOUT_MAX_S:
        raise refused(f"The request timeout is at most {REQUEST_TIMEOUT_MAX_S} seconds.", "BadArgument")
    if not properties["model"] and not properties["codeConfiguration"]:
        raise refused("A deployment needs a model, or an environment with code.", "BadArgument")


def _bring(emulation: Emulation, place: Place, kept: Document) -> None:
    """Have the deployment served. Raises what stands in its way."""
    properties = kept["properties"]
    model = models.named(emulation, properties["model"]) if properties["model"] else None
    logs.store(emulation, kept["id"], f"Downloading the model {model.name}:{model.version}" if model else "No model")
    if properties["codeConfiguration"]:
        return own_code.bring(emulation, place, kept, model)
    assert model is not None
    with models.folder_of(emulation, model.uri) as folder:
        root = models.root_of(folder)
        logs.store(emulation, kept["id"], f"{sum(1 for path in root.rglob('*') if path.is_file())} files are there")
        if models.is_ours(root):
            _deploy(emulation, place, kept, models.brought(emulation, model, root).version, model)
        elif model.type == "mlflow_model":
            own_code.bring_mlflow(emulation, place, kept, root)
        else:
            raise refused(
                f"The model '{model.name}:{model.version}' is a {model.type}: it needs code and an environment.",
                "BadArgument",
            )
    return None


def _deploy(emulation: Emulation, place: Place, kept: Document, version: int, model: models.Named) -> None:
    """Behind the workspace's endpoint, with no traffic: on Azure nobody gives any but by the endpoint's own map."""
    workspace = emulation.workspace
    _withdraw(emulation, place, kept)
    local = places.local_name_of(kept["name"])
    made = workspace.endpoints.deploy(
        DeploymentSpec(place.local, slug(model.name), version, local, primary_form="mlflow")
    )
    if made.gate_job_id:
        workspace.jobs.cancel(made.gate_job_id)
    place.deployments[kept["name"].lower()] = {"name": kept["name"], "local": local}
    places.keep(emulation, place)
    _traffic_again(emulation, place)


def _withdraw(emulation: Emulation, place: Place, kept: Document) -> None:
    """What stood there under the name, with another model or code."""
    earlier = place.deployments.pop(kept["name"].lower(), None)
    own_code.stop(emulation, kept["id"])
    local = places.local_endpoint(emulation, place)
    if earlier and earlier.get("local") and local and any(d.name == earlier["local"] for d in local.deployments):
        emulation.workspace.endpoints.set_traffic(place.local, {}, {}, force=True, by=places.WHO)
        emulation.workspace.endpoints.delete_deployment(place.local, earlier["local"])
    places.keep(emulation, place)


def _traffic_again(emulation: Emulation, place: Place) -> None:
    """The endpoint's map stays in force for the deployments that are there."""
    endpoint = emulation.state.get(place.id)
    shares = {
        part: {name: share for name, share in endpoint["properties"][part].items() if name.lower() in place.deployments}
        for part in ("traffic", "mirrorTraffic")
    }
    if sum(shares["traffic"].values()) in (0, 100):
        online.apply_traffic(emulation, place, shares)


def _cause(error: Exception) -> tuple[str, str]:
    if isinstance(error, AzureError):
        return error.code, error.message
    hint = getattr(error, "hint", "")
    return "ResourceNotReady", f"User container has crashed or terminated: {error}. {hint}. {TROUBLE}"


def read(emulation: Emulation, resource: Document) -> Document:
    """As it is now: Succeeded once its server answers, Failed when that could not load the model."""
    properties = resource["properties"]
    state = properties["provisioningState"]
    if state == "Deleting":
        return resource | {"properties": properties | {"provisioningState": "Deleted"}}
    if state not in operations.GOING_ON:
        return resource
    place = places.place_of(emulation, resource["id"].rpartition("/deployments/")[0])
    mine = place.deployments.get(resource["name"].lower()) if place else None
    if place is None or mine is None:
        return operations.failed(emulation, resource, "InternalServerError", "The deployment is gone")
    cause = own_code.state(emulation, resource) if "code" in mine else _served(emulation, place, mine["local"])
    if cause is None:
        return resource
    if cause:
        logs.write(emulation, resource["id"], cause)
        said = f"User container has crashed or terminated: {cause.strip().splitlines()[-1]}. {TROUBLE}"
        return operations.failed(emulation, resource, "ResourceNotReady", said)
    now = iso(emulation.clock.now())
    return resource | {
        "properties": properties | {"provisioningState": "Succeeded"},
        "systemData": resource["systemData"] | {"lastModifiedAt": now},
    }


def _served(emulation: Emulation, place: Place, name: str) -> str | None:
    """Why the workspace cannot serve it; empty once it does, None while it has not decided."""
    local = places.local_endpoint(emulation, place)
    if local is None:
        return "The endpoint is gone"
    found = next((each for each in local.deployments if each.name == name), None)
    if found is None:
        return "The deployment is gone"
    if found.state is DeploymentState.FAILED:
        return found.error or "The model does not load"
    return "" if found.state is DeploymentState.READY and local.settled else None


def delete(emulation: Emulation, resource: Document) -> None:
    """Refused while it has traffic, as on Azure."""
    endpoint_id = resource["id"].rpartition("/deployments/")[0]
    endpoint, place = emulation.state.get(endpoint_id), places.place_of(emulation, endpoint_id)
    if endpoint is None or place is None:
        return
    for part in ("traffic", "mirrorTraffic"):
        taking = {name.lower(): share for name, share in endpoint["properties"][part].items()}
        if taking.get(resource["name"].lower()):
            raise refused(
                f"The deployment '{resource['name']}' has {taking[resource['name'].lower()]} percent of the endpoint's"
                f" {part}. Set that to 0 first.",
                "BadRequest",
            )
    _withdraw(emulation, place, resource)
    _traffic_again(emulation, place)
    logs.forget(emulation, resource["id"])


KIND = Kind(
    "onlineEndpoints/deployments",
    put=put,
    read=read,
    delete=delete,
    actions={"getLogs": logs.answer},
    takes_time=True,
    prefix="od",
    matches=online.listed,
)


def skus(emulation: Emulation, request: Request) -> Reply:
    """How many instances a deployment may have."""
    known(emulation, request)
    endpoint, name = request.found["endpoint"], request.found["name"]
    if emulation.state.get(f"{emulation.names.workspace_path}/onlineEndpoints/{endpoint}/deployments/{name}") is None:
        raise refused(f"The deployment '{name}' was not found.", "ResourceNotFound", 404)
    capacity = {"minimum": 1, "maximum": INSTANCES_MAX, "default": 1, "scaleType": "Automatic"}
    sku = {
        "resourceType": f"{NAMESPACE}/workspaces/onlineEndpoints/deployments",
        "sku": {"name": "Default", "tier": "Standard"},
    }
    return Reply(body={"value": [sku | {"capacity": capacity}]})


ROUTES = (Route("GET", "arm", WORKSPACE + "/onlineEndpoints/{endpoint}/deployments/{name}/skus", skus),)
