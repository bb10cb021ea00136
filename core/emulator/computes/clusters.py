"""Clusters and instances: what a client asks for, what Azure answers, and the nodes that are busy."""

import re
from uuid import UUID, uuid5

from core.emulator.arm import operations
from core.emulator.arm.kinds import Action, Kind
from core.emulator.clock import iso
from core.emulator.computes.sizes import CORES_OF_A_FAMILY, KINDS, cores_used, size_of
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Reply, Request

NAME = re.compile(r"[a-zA-Z](?![a-zA-Z0-9-]*-\d+$)[a-zA-Z0-9-]{2,23}")
BUSY = frozenset({"Running", "Finalizing"})
"""States of a job that has a node."""


def put(emulation: Emulation, request: Request, before: Document | None, wanted: Document) -> Document:
    """Raises AzureError 400 for a name, a kind, a size or numbers of nodes that Azure does not have."""
    sent = wanted["properties"]
    kind = next((known for known in KINDS if known.lower() == str(sent.get("computeType", "")).lower()), None)
    if kind is None:
        raise AzureError(
            400,
            "BadArgument",
            f"The emulation has no compute of the type '{sent.get('computeType')}', but {' and '.join(KINDS)}",
        )
    if not NAME.fullmatch(str(wanted["name"])):
        raise AzureError(
            400,
            "BadArgument",
            f"Invalid compute name '{wanted['name']}': a name has 3 to 24 letters, digits and dashes, begins with a"
            " letter, and does not end with a dash and digits",
        )
    if before and before["properties"]["computeType"] != kind:
        raise AzureError(400, "BadArgument", "The type of a compute cannot be changed")
    now = iso(emulation.clock.now())
    old = (before or {}).get("properties", {})
    properties = {
        "createdOn": old.get("createdOn", now), "modifiedOn": now, "disableLocalAuth": False,
        "description": sent.get("description"), "computeType": kind,
        "resourceId": _cluster_id(emulation, wanted) if before else None,
        "computeLocation": wanted.get("location") or emulation.names.region, "provisioningState": "Creating",
        "provisioningErrors": None, "isAttachedCompute": False,
    }  # fmt: skip
    own = dict(sent.get("properties") or {})
    made = _cluster(own, old) if kind == KINDS[0] else _instance(own, old)
    resource = wanted | {"location": properties["computeLocation"], "tags": wanted.get("tags") or {}}
    identity = wanted.get("identity")
    if isinstance(identity, dict):
        resource["identity"] = _identity(emulation, wanted)
    kept = resource | {"properties": properties | {"properties": made}}
    return _within_quota(emulation, kept, str(made["vmSize"]))


def read(emulation: Emulation, resource: Document) -> Document:
    """Made as soon as somebody looks again; a cluster shows the nodes that its jobs have."""
    properties = resource["properties"]
    state = properties["provisioningState"]
    if state == "Deleting":
        return resource | {"properties": properties | {"provisioningState": "Deleted"}}
    if state == "Failed":
        return resource
    own = properties["properties"]
    shown = own | (_nodes(emulation, resource) if properties["computeType"] == KINDS[0] else {})
    return resource | {
        "properties": properties | {"provisioningState": "Succeeded", "resourceId": None, "properties": shown}
    }


def list_nodes(emulation: Emulation, resource: Document, request: Request) -> Reply:
    """The nodes that a cluster has now."""
    own = read(emulation, resource)["properties"]["properties"]
    busy = _busy(emulation, resource)
    nodes = [
        {
            "nodeId": f"tvmps_{uuid5(UUID(int=number), str(resource['id']).lower()).hex}_d",
            "privateIpAddress": f"10.0.0.{4 + number}", "publicIpAddress": None, "port": 50000 + number,
            "nodeState": "running" if number < len(busy) else "idle",
            "runId": busy[number] if number < len(busy) else None,
        }
        for number in range(int(own.get("currentNodeCount") or 0))
    ]  # fmt: skip
    return Reply(body={"nodes": nodes})


def _power(state: str) -> Action:
    def change(emulation: Emulation, resource: Document, request: Request) -> Reply:
        """Start, stop or restart an instance."""
        properties = resource["properties"]
        if properties["computeType"] == KINDS[0]:
            raise AzureError(
                400,
                "BadArgument",
                f"{resource['name']} is a cluster: it starts with its jobs, and stops by itself when none is left",
            )
        own = properties["properties"] | {"state": state}
        emulation.state.put(resource["id"], resource | {"properties": properties | {"properties": own}})
        return Reply(202, headers=operations.begun(emulation, KIND, resource, "put", request))

    return change


def delete(emulation: Emulation, resource: Document) -> None:
    """Raises AzureError 409 for a cluster that jobs still run on."""
    if busy := _busy(emulation, resource):
        raise AzureError(
            409,
            "Conflict",
            f"{resource['name']} runs the job {busy[0]}; cancel it before you delete the compute",
        )


def _cluster(own: Document, old: Document) -> Document:
    size = size_of(str(own.get("vmSize") or (old.get("properties") or {}).get("vmSize") or ""))
    scale = {"minNodeCount": 0, "maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": "PT120S"} | {
        key: value for key, value in (own.get("scaleSettings") or {}).items() if value is not None
    }
    if not 0 <= int(scale["minNodeCount"]) <= int(scale["maxNodeCount"]):
        raise AzureError(400, "BadArgument", "minNodeCount must be from 0 to maxNodeCount")
    before = (old.get("properties") or {}).get("vmSize")
    if before and before != size.name.upper():
        raise AzureError(400, "BadArgument", f"The VM size of a cluster cannot be changed; it has {before}")
    account = dict(own.get("userAccountCredentials") or {})
    shown = {"userAccountCredentials": account | {"adminUserPassword": None}} if account else {}
    return {
        "vmSize": size.name.upper(), "vmPriority": own.get("vmPriority") or "Dedicated", **shown,
        "scaleSettings": scale,
        "subnet": own.get("subnet"), "currentNodeCount": None, "targetNodeCount": None, "nodeStateCounts": None,
        "allocationState": None, "errors": None,
        "remoteLoginPortPublicAccess": own.get("remoteLoginPortPublicAccess") or "NotSpecified",
        "osType": own.get("osType") or "Linux", "virtualMachineImage": own.get("virtualMachineImage"),
        "isolatedNetwork": False, "enableNodePublicIp": own.get("enableNodePublicIp", True),
    }  # fmt: skip


def _instance(own: Document, old: Document) -> Document:
    size = size_of(str(own.get("vmSize") or ""))
    kept = {key: value for key, value in own.items() if value is not None}
    return kept | {"vmSize": size.name.upper(), "state": (old.get("properties") or {}).get("state", "Running")}


def _cluster_id(emulation: Emulation, wanted: Document) -> str:
    """Of what a cluster is inside of Azure, which shows while it is changed."""
    names = emulation.names
    return f"{names.group_path}/providers/Microsoft.BatchAI/workspaces/{names.workspace}/clusters/{wanted['name']}"


def _identity(emulation: Emulation, wanted: Document) -> Document:
    identity = dict(wanted["identity"])
    if "SystemAssigned" in str(identity.get("type")):
        principal = str(uuid5(UUID(emulation.names.workspace_id), str(wanted["id"]).lower()))
        identity |= {"principalId": principal, "tenantId": emulation.names.tenant}
    return identity


def _within_quota(emulation: Emulation, resource: Document, size_name: str) -> Document:
    """A cluster that may grow beyond the cores that one may have fails when it is made, as Azure's do."""
    size = size_of(size_name)
    own = resource["properties"]["properties"]
    nodes = int((own.get("scaleSettings") or {}).get("maxNodeCount", 1))
    before = emulation.state.get(resource["id"])
    used = cores_used(emulation).get(size.family, 0)
    if before:
        old = before["properties"]["properties"]
        used -= int((old.get("scaleSettings") or {}).get("maxNodeCount", 1)) * size_of(str(old["vmSize"])).cores
    if used + nodes * size.cores <= CORES_OF_A_FAMILY:
        return resource
    return operations.failed(
        emulation,
        resource,
        "ClusterCoreQuotaReached",
        f"Operation results in exceeding quota limits of the family {size.family}. Maximum allowed:"
        f" {CORES_OF_A_FAMILY}, Current in use: {used}, Additional requested: {nodes * size.cores}.",
    )


def _busy(emulation: Emulation, resource: Document) -> list[str]:
    """The jobs that have a node."""
    name = str(resource["name"]).lower()
    return [
        str(kept["name"])
        for key, kept in emulation.state.below(f"{emulation.names.workspace_path}/jobs/")
        if (kept.get("properties") or {}).get("status") in BUSY
        and str(kept["properties"].get("computeId") or "").lower().endswith(f"/computes/{name}")
    ]


def _nodes(emulation: Emulation, resource: Document) -> Document:
    own = resource["properties"]["properties"]
    scale = own["scaleSettings"]
    running = min(len(_busy(emulation, resource)), int(scale["maxNodeCount"]))
    there = max(running, int(scale["minNodeCount"]))
    states = dict.fromkeys(("preparing", "running", "idle", "unusable", "leaving", "preempted"), 0)
    states |= {"running": running, "idle": there - running}
    since = own.get("allocationStateTransitionTime") or resource["properties"]["modifiedOn"]
    return {
        "currentNodeCount": there, "targetNodeCount": there, "allocationState": "Steady",
        "nodeStateCounts": {f"{name}NodeCount": count for name, count in states.items()},
        "allocationStateTransitionTime": since, "propertyBag": {},
    }  # fmt: skip


def enable_sso(emulation: Emulation, resource: Document, request: Request) -> Reply:
    """Nobody signs in to an instance here."""
    own = resource["properties"]["properties"] | {"enableSSO": bool(request.document().get("enableSSO"))}
    emulation.state.put(resource["id"], resource | {"properties": resource["properties"] | {"properties": own}})
    return Reply(200)


KIND = Kind(
    "computes",
    put=put,
    read=read,
    delete=delete,
    actions={
        "listNodes": list_nodes,
        "enableSso": enable_sso,
        "start": _power("Running"),
        "stop": _power("Stopped"),
        "restart": _power("Running"),
    },
    takes_time=True,
    operations="computeOperationsStatus",
    missing=("ResourceNotFound", "The specified compute '{name}' was not found in the workspace."),
)
