"""Long-running operations: an address to poll, and what it says (Azure's REST guidelines, `Azure-AsyncOperation`).

An operation is kept by the resource it is about, and its state is the resource's own, so that it outlives a restart.
"""

import time
import uuid

from core.emulator.arm.kinds import Kind
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.names import ARM_HOST, NAMESPACE

GOING_ON = frozenset({"Creating", "Updating", "Deleting", "Scaling", "InProgress"})


def begun(emulation: Emulation, kind: Kind, resource: Document, verb: str, request: Request) -> dict[str, str]:
    """Remember an operation on a resource, and give the headers that tell a client where to look."""
    number = f"{kind.prefix or kind.type.replace('/', '-').lower()}:{emulation.names.workspace_id}:{uuid.uuid4()}"
    emulation.state.put(
        f"operation/{number}",
        {"resource": resource["id"], "kind": kind.type, "verb": verb, "at": iso(emulation.clock.now())},
    )
    return _addresses(emulation, kind.operations, number, request)


def refused(emulation: Emulation, request: Request, failure: Document) -> Reply:
    """An operation that has failed before it began: nothing was done to the resource of the request."""
    kind = "computes" if "/computes/" in request.path.lower() else "resource"
    number = f"{kind}:{emulation.names.workspace_id}:{uuid.uuid4()}"
    emulation.state.put(
        f"operation/{number}",
        {"resource": request.path, "verb": "none", "at": iso(emulation.clock.now()), "failure": failure},
    )
    segment = "computeOperationsStatus" if kind == "computes" else "mfeOperationsStatus"
    return Reply(202, headers=_addresses(emulation, segment, number, request))


def _addresses(emulation: Emulation, segment: str, number: str, request: Request) -> dict[str, str]:
    base = (
        f"https://{ARM_HOST}/subscriptions/{emulation.names.subscription}/providers/{NAMESPACE}"
        f"/locations/{emulation.names.region}"
    )
    version = f"?api-version={request.api_version}"
    results = segment.replace("Status", "Results")
    return {
        "Azure-AsyncOperation": f"{base}/{segment}/{number}{version}",
        "Location": f"{base}/{results}/{number}{version}",
        "x-ms-async-operation-timeout": "PT1H",
        **soon(emulation),
    }


def soon(emulation: Emulation) -> dict[str, str]:
    """When to look again: whole seconds as Azure has it, and the milliseconds that azure-core prefers."""
    wait_ms = emulation.options.retry_after_ms
    return {"Retry-After": str(max(1, wait_ms // 1000)), "x-ms-retry-after-ms": str(wait_ms)}


def document(emulation: Emulation, request: Request, resource: Document | None, kept: Document) -> Document:
    """What the status of an operation says."""
    number = request.found["operation"]
    said: Document = {
        "id": request.path,
        "name": number,
        "status": "InProgress",
        "startTime": kept["at"],
    }
    state = "" if resource is None else str(resource.get("properties", {}).get("provisioningState", "Succeeded"))
    if kept["verb"] == "delete":
        said["status"] = "Succeeded" if resource is None else "Failed" if state == "Failed" else "InProgress"
    elif resource is None:
        said["status"] = "Canceled"
    elif state not in GOING_ON:
        said["status"] = "Failed" if state == "Failed" else state
    if kept.get("failure"):
        said["status"] = "Failed"
    elif kept.get("not_before", 0.0) > time.time():
        said["status"] = "InProgress"
    if said["status"] == "Failed":
        said["error"] = kept.get("failure") or emulation.state.get(
            f"failure/{kept['resource']}", {"code": "InternalServerError", "message": "It failed"}
        )
    if said["status"] != "InProgress":
        said["percentComplete"], said["endTime"] = 100.0, iso(emulation.clock.now())
    return said


def kept(emulation: Emulation, request: Request) -> Document:
    """The operation of an address. Raises AzureError 404."""
    number = request.found["operation"]
    found: Document | None = emulation.state.get(f"operation/{number}")
    if found is None:
        raise AzureError(404, "NotFound", f"Operation {number} was not found")
    return found


def failed(emulation: Emulation, resource: Document, code: str, message: str) -> Document:
    """The resource with a provisioning that has failed; its operation will say why."""
    emulation.state.put(f"failure/{resource['id']}", {"code": code, "message": message, "details": []})
    return resource | {"properties": resource.get("properties", {}) | {"provisioningState": "Failed"}}
