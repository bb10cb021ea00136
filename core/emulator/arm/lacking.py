"""What a workspace of Azure may have and an emulation has not: refused by its name, whatever is asked of it."""

from core.emulator.arm.resources import WORKSPACE, known
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Reply, Request
from core.emulator.routes import Handler, Route
from core.emulator.storage import access

LACKING = {
    "featuresets": "feature stores",
    "featurestoreEntities": "feature stores",
    "features": "feature stores",
    "serverlessEndpoints": "serverless endpoints",
    "marketplaceSubscriptions": "marketplace subscriptions",
    "capabilityHosts": "agents",
    "outboundRules": "managed networks",
    "provisionManagedNetwork": "managed networks",
    "privateEndpointConnections": "private networks",
    "inferencePools": "inference pools",
    "prepareNotebook": "notebooks",
    "listNotebookKeys": "notebooks",
    "listNotebookAccessToken": "notebooks",
}
"""Segment of an address -> what is not there."""


def _lacking(what: str) -> Handler:
    def refuse(emulation: Emulation, request: Request) -> Reply:
        raise AzureError(501, "NotImplemented", f"The emulation has no {what}")

    return refuse


def storage_keys(emulation: Emulation, request: Request) -> Reply:
    """The key of the workspace's storage account, as the workspace gives it."""
    known(emulation, request)
    return Reply(body={"userStorageKey": access.keys(emulation)["key1"]})


def account_keys(emulation: Emulation, request: Request) -> Reply:
    """The same keys as the storage account itself gives them."""
    known(emulation, request)
    if request.found["account"].lower() != emulation.names.storage_account:
        raise AzureError(404, "ResourceNotFound", f"The storage account '{request.found['account']}' was not found.")
    made = access.keys(emulation)
    shown = [{"keyName": name, "value": value, "permissions": "FULL"} for name, value in made.items()]
    return Reply(body={"keys": shown})


def one_workspace(emulation: Emulation, request: Request) -> Reply:
    """The SDK makes workspaces by deployments of templates."""
    raise AzureError(403, "OperationNotAllowed", "The emulation has one workspace; templates cannot be deployed")


_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
ROUTES = (
    Route("POST", "arm", WORKSPACE + "/listStorageAccountKeys", storage_keys),
    Route("POST", "arm", _GROUP + "/providers/Microsoft.Storage/storageAccounts/{account}/listKeys", account_keys),
    Route("*", "arm", _GROUP + "/providers/Microsoft.Resources/deployments/{rest:rest}", one_workspace),
    Route("*", "api", "/genericasset/{rest:rest}", _lacking("indexes")),
    *(Route("*", "arm", f"{WORKSPACE}/{segment}{{rest:rest}}", _lacking(what)) for segment, what in LACKING.items()),
)
