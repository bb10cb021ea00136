"""The workspace itself: what it is called, where its storage lies, and how it is reached."""

from core.emulator.arm.resources import WHO, WORKSPACE, known
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.names import NAMESPACE
from core.emulator.routes import Route
from core.emulator.storage import access

WHAT = "An emulation of Azure Machine Learning on this machine. Nothing here is in the cloud."


def document(emulation: Emulation) -> Document:
    """The workspace as ARM shows it."""
    names = emulation.names
    group = names.group_path
    kept = emulation.state.get("workspace")
    if kept is None:
        kept = {"made": iso(emulation.clock.now())}
        emulation.state.put("workspace", kept)
    return {
        "id": names.workspace_path,
        "name": names.workspace,
        "type": f"{NAMESPACE}/workspaces",
        "location": names.region,
        "tags": kept.get("tags", {"emulation": "slipway"}),
        "etag": None,
        "kind": "Default",
        "sku": {"name": "Basic", "tier": "Basic"},
        "identity": {"type": "SystemAssigned", "principalId": names.client, "tenantId": names.tenant},
        "properties": {
            "friendlyName": kept.get("friendlyName", f"{names.workspace} (an emulation by Slipway)"),
            "description": kept.get("description", WHAT),
            "storageAccount": f"{group}/providers/Microsoft.Storage/storageAccounts/{names.storage_account}",
            "keyVault": f"{group}/providers/Microsoft.KeyVault/vaults/{names.storage_account}",
            "applicationInsights": f"{group}/providers/Microsoft.Insights/components/{names.workspace}",
            "hbiWorkspace": False,
            "tenantId": names.tenant,
            "provisioningState": "Succeeded",
            "workspaceId": names.workspace_id,
            "publicNetworkAccess": "Enabled",
            "discoveryUrl": f"https://{names.api_host}/discovery",
            "mlFlowTrackingUri": f"azureml://{names.api_host}/mlflow/v1.0{names.workspace_path}",
            "storageHnsEnabled": False,
            "v1LegacyMode": False,
            "imageBuildCompute": None,
            "softDeleteEnabled": False,
            "containerRegistry": f"{group}/providers/Microsoft.ContainerRegistry/registries/{names.storage_account}",
            "creationTime": kept["made"],
            "notebookInfo": {
                "resourceId": names.workspace_id.replace("-", ""),
                "fqdn": f"ml-{names.workspace}-{names.region}-{names.workspace_id}.{names.region}.notebooks.azure.net",
                "isPrivateLinkEnabled": False,
                "notebookPreparationError": None,
            },
            "linkedModelInventoryArmId": None,
            "privateLinkCount": 0,
            "sdkTelemetryAppInsightsKey": names.workspace_id,
            "sasGetterUri": "",
        },
        "systemData": {
            "createdAt": kept["made"],
            "createdBy": WHO,
            "createdByType": "Application",
            "lastModifiedAt": kept.get("changed", kept["made"]),
            "lastModifiedBy": WHO,
            "lastModifiedByType": "Application",
        },
    }


def show(emulation: Emulation, request: Request) -> Reply:
    known(emulation, request)
    return Reply(body=document(emulation))


def listed(emulation: Emulation, request: Request) -> Reply:
    """The one workspace there is, for whoever does not ask for hubs or projects alone."""
    known(emulation, request)
    kinds = request.query.get("kind", "default").lower().split(",")
    return Reply(body={"value": [document(emulation)] if "default" in kinds else []})


def changed(emulation: Emulation, request: Request) -> Reply:
    """Its tags, description and friendly name can be changed; what would need the cloud is left as it is."""
    known(emulation, request)
    sent = request.document()
    words = {name: sent.get("properties", {}).get(name) for name in ("friendlyName", "description")}
    with emulation.state.lock:
        kept = emulation.state.get("workspace", {"made": iso(emulation.clock.now())})
        kept |= {name: value for name, value in words.items() if value is not None}
        kept |= {"tags": sent["tags"]} if sent.get("tags") is not None else {}
        emulation.state.put("workspace", kept | {"changed": iso(emulation.clock.now())})
    return Reply(body=document(emulation))


def keys(emulation: Emulation, request: Request) -> Reply:
    """The keys of what belongs to the workspace. There is no registry and no notebook service, hence none of theirs."""
    known(emulation, request)
    names = emulation.names
    return Reply(
        body={
            "userStorageKey": access.keys(emulation)["key1"],
            "userStorageArmId": document(emulation)["properties"]["storageAccount"],
            "appInsightsInstrumentationKey": names.workspace_id,
            "containerRegistryCredentials": None,
            "notebookAccessKeys": None,
        }
    )


def synced(emulation: Emulation, request: Request) -> Reply:
    """Nothing can be out of date here."""
    known(emulation, request)
    return Reply(200)


def diagnosed(emulation: Emulation, request: Request) -> Reply:
    """Nothing of what a workspace needs in the cloud can be wrong here."""
    known(emulation, request)
    parts = ("userDefinedRouteResults", "networkSecurityRuleResults", "resourceLockResults", "dnsResolutionResults",
             "storageAccountResults", "keyVaultResults", "containerRegistryResults", "applicationInsightsResults",
             "otherResults")  # fmt: skip
    return Reply(body={"value": {name: [] for name in parts}})


def refused(emulation: Emulation, request: Request) -> Reply:
    """There is one workspace, and it stays."""
    raise AzureError(
        400, "UserError", "This is an emulation of Azure ML: its one workspace can be neither made nor deleted."
    )


_ALL = "/subscriptions/{subscription}/providers/" + NAMESPACE + "/workspaces"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers/" + NAMESPACE + "/workspaces"
ROUTES = (
    Route("GET", "arm", WORKSPACE, show),
    Route("GET", "arm", _GROUP, listed),
    Route("GET", "arm", _ALL, listed),
    Route("PATCH", "arm", WORKSPACE, changed),
    Route("PUT", "arm", WORKSPACE, refused),
    Route("DELETE", "arm", WORKSPACE, refused),
    Route("POST", "arm", WORKSPACE + "/listKeys", keys),
    Route("POST", "arm", WORKSPACE + "/resyncKeys", synced),
    Route("POST", "arm", WORKSPACE + "/diagnose", diagnosed),
)
