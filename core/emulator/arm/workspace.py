"""The workspace itself: what it is called, where its storage lies, and how it is reached."""

from core.emulator.arm.resources import WORKSPACE, known
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.messages import Document, Reply, Request
from core.emulator.names import NAMESPACE
from core.emulator.routes import Route


def document(emulation: Emulation) -> Document:
    """The workspace as ARM shows it."""
    names = emulation.names
    group = names.group_path
    return {
        "id": names.workspace_path,
        "name": names.workspace,
        "type": f"{NAMESPACE}/workspaces",
        "location": names.region,
        "tags": {"emulation": "slipway"},
        "etag": None,
        "kind": "Default",
        "sku": {"name": "Basic", "tier": "Basic"},
        "identity": {"type": "SystemAssigned", "principalId": names.client, "tenantId": names.tenant},
        "properties": {
            "friendlyName": f"{names.workspace} (an emulation by Slipway)",
            "description": "An emulation of Azure Machine Learning on this machine. Nothing here is in the cloud.",
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
        },
        "systemData": {"createdAt": iso(emulation.clock.now()), "createdBy": "Slipway's emulation"},
    }


def show(emulation: Emulation, request: Request) -> Reply:
    known(emulation, request)
    return Reply(body=document(emulation))


def listed(emulation: Emulation, request: Request) -> Reply:
    known(emulation, request)
    return Reply(body={"value": [document(emulation)]})


_ALL = "/subscriptions/{subscription}/providers/" + NAMESPACE + "/workspaces"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers/" + NAMESPACE + "/workspaces"
ROUTES = (
    Route("GET", "arm", WORKSPACE, show),
    Route("GET", "arm", _GROUP, listed),
    Route("GET", "arm", _ALL, listed),
)
