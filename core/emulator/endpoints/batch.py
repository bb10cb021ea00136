"""The resource `batchEndpoints`: an address for jobs, and which deployment runs them where none is named."""

from core.emulator.arm import operations
from core.emulator.arm.kinds import Kind
from core.emulator.emulation import Emulation
from core.emulator.endpoints import online, places
from core.emulator.endpoints.checks import auth_mode, check_name, refused
from core.emulator.messages import Document, Request

AUTH = ("AADToken",)
"""Batch endpoints have no keys."""


def put(emulation: Emulation, request: Request, before: Document | None, wanted: Document) -> Document:
    """Keep the endpoint; its default must be a deployment that is there."""
    given = wanted["properties"]
    check_name("endpoint", wanted["name"])
    mode = auth_mode(given.get("authMode"), AUTH)
    default = (given.get("defaults") or {}).get("deploymentName")
    if default and default.lower() not in online.deployments_of(emulation, wanted["id"]):
        raise refused(f"The default deployment '{default}' does not exist.", "BadArgument")
    earlier = (before or {}).get("properties", {})
    own = {"BatchEndpointCreationApiVersion": request.api_version, "azureml.onlineendpointid": wanted["id"]}
    properties = {
        "description": given.get("description"),
        "properties": {**dict(given.get("properties") or {}), **own},
        "scoringUri": earlier.get("scoringUri"),
        "swaggerUri": None,
        "authMode": mode,
        "defaults": {"deploymentName": default},
        "provisioningState": "Updating" if before else "Creating",
    }
    kept = {
        **{part: wanted[part] for part in ("id", "name", "type", "systemData")},
        "tags": wanted.get("tags") or {},
        "location": wanted.get("location") or emulation.names.region,
        "properties": properties,
    }
    who = wanted if wanted.get("identity") else wanted | {"identity": _of_workspace(emulation)}
    return kept | {"identity": online.identity(emulation, who)}


def _of_workspace(emulation: Emulation) -> Document:
    """Whoever does not say as whom an endpoint works gets an identity that was assigned to the workspace."""
    group = emulation.names.workspace_path.partition("/providers/")[0]
    name = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{emulation.names.workspace}"
    return {"type": "UserAssigned", "userAssignedIdentities": {name: {}}}


def read(emulation: Emulation, resource: Document) -> Document:
    """Nothing takes long here: whoever looks for the first time finds it done."""
    state = resource["properties"]["provisioningState"]
    if state not in operations.GOING_ON:
        return resource
    host = emulation.names.scoring_host(resource["name"].lower())
    done = {
        "provisioningState": "Deleted" if state == "Deleting" else "Succeeded",
        "scoringUri": f"https://{host}/jobs",
    }
    return resource | {"properties": resource["properties"] | done}


def delete(emulation: Emulation, resource: Document) -> None:
    """Its deployments go with it; its jobs stay."""
    for deployment in online.deployments_of(emulation, resource["id"]).values():
        places.withdraw_batch(emulation, deployment["id"])


KIND = Kind("batchEndpoints", put=put, read=read, delete=delete, takes_time=True, prefix="bebes", matches=online.listed)
