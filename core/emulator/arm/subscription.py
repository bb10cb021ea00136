"""The subscription and its resource group as Azure Resource Manager shows them: providers, and what one is allowed."""

from core.emulator.arm.resources import WORKSPACE, known
from core.emulator.emulation import Emulation
from core.emulator.messages import Document, Reply, Request
from core.emulator.routes import Route

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
"""The role Owner, in every tenant (https://learn.microsoft.com/azure/role-based-access-control/built-in-roles)."""
EVERYTHING: Document = {"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}
"""The one service principal owns the emulated workspace."""


def subscription(emulation: Emulation) -> Document:
    names = emulation.names
    return {
        "id": f"/subscriptions/{names.subscription}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": names.subscription,
        "tenantId": names.tenant,
        "displayName": "An emulation by Slipway",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def show(emulation: Emulation, request: Request) -> Reply:
    known(emulation, request)
    return Reply(body=subscription(emulation))


def listed(emulation: Emulation, request: Request) -> Reply:
    count = {"type": "Total", "value": 1}
    return Reply(body={"value": [subscription(emulation)], "count": count})


def _group(emulation: Emulation) -> Document:
    names = emulation.names
    return {
        "id": names.group_path,
        "name": names.resource_group,
        "type": "Microsoft.Resources/resourceGroups",
        "location": names.region,
        "tags": {},
        "properties": {"provisioningState": "Succeeded"},
    }


def group(emulation: Emulation, request: Request) -> Reply:
    known(emulation, request)
    return Reply(body=_group(emulation))


def groups(emulation: Emulation, request: Request) -> Reply:
    known(emulation, request)
    return Reply(body={"value": [_group(emulation)]})


def tenants(emulation: Emulation, request: Request) -> Reply:
    tenant = emulation.names.tenant
    said = {"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "An emulation by Slipway"}
    return Reply(body={"value": [said | {"tenantCategory": "Home"}]})


def locations(emulation: Emulation, request: Request) -> Reply:
    """The one region that is emulated."""
    known(emulation, request)
    names = emulation.names
    place = {"name": names.region, "displayName": names.region, "regionalDisplayName": names.region, "type": "Region"}
    return Reply(body={"value": [place | {"id": f"/subscriptions/{names.subscription}/locations/{names.region}"}]})


def roles(emulation: Emulation, request: Request) -> Reply:
    """The one service principal owns its resource group."""
    known(emulation, request)
    names = emulation.names
    at = f"{names.group_path}/providers/Microsoft.Authorization/roleAssignments/{names.client}"
    owner = f"/subscriptions/{names.subscription}/providers/Microsoft.Authorization/roleDefinitions/{OWNER}"
    told = {
        "roleDefinitionId": owner,
        "principalId": names.client,
        "principalType": "ServicePrincipal",
        "scope": names.group_path,
    }
    kind = "Microsoft.Authorization/roleAssignments"
    return Reply(body={"value": [{"id": at, "name": names.client, "type": kind, "properties": told}]})


def definitions(emulation: Emulation, request: Request) -> Reply:
    known(emulation, request)
    names = emulation.names
    at = f"/subscriptions/{names.subscription}/providers/Microsoft.Authorization/roleDefinitions/{OWNER}"
    told = {"roleName": "Owner", "type": "BuiltInRole", "permissions": [EVERYTHING], "assignableScopes": ["/"]}
    kind = "Microsoft.Authorization/roleDefinitions"
    return Reply(body={"value": [{"id": at, "name": OWNER, "type": kind, "properties": told}]})


def provider(emulation: Emulation, request: Request) -> Reply:
    """Every provider is registered."""
    known(emulation, request)
    namespace = request.found["namespace"]
    return Reply(
        body={
            "id": f"/subscriptions/{emulation.names.subscription}/providers/{namespace}",
            "namespace": namespace,
            "registrationPolicy": "RegistrationRequired",
            "registrationState": "Registered",
            "resourceTypes": [],
        }
    )


def permissions(emulation: Emulation, request: Request) -> Reply:
    known(emulation, request)
    return Reply(body={"value": [EVERYTHING]})


_SUBSCRIPTION = "/subscriptions/{subscription}"
_PERMISSIONS = "/providers/Microsoft.Authorization/permissions"
_ROLES = "/providers/Microsoft.Authorization/roleAssignments"
_DEFINITIONS = "/providers/Microsoft.Authorization/roleDefinitions"
ROUTES = (
    Route("GET", "arm", "/subscriptions", listed),
    Route("GET", "arm", "/tenants", tenants),
    Route("GET", "arm", _SUBSCRIPTION, show),
    Route("GET", "arm", _SUBSCRIPTION + "/locations", locations),
    Route("GET", "arm", _SUBSCRIPTION + "/resourceGroups", groups),
    Route("GET", "arm", _SUBSCRIPTION + _ROLES, roles),
    Route("GET", "arm", _SUBSCRIPTION + _DEFINITIONS, definitions),
    Route("GET", "arm", _SUBSCRIPTION + "/resourceGroups/{group}" + _ROLES, roles),
    Route("GET", "arm", WORKSPACE + _ROLES, roles),
    Route("GET", "arm", _SUBSCRIPTION + "/resourceGroups/{group}", group),
    Route("GET", "arm", _SUBSCRIPTION + "/providers/{namespace}", provider),
    Route("GET", "arm", _SUBSCRIPTION + "/resourceGroups/{group}" + _PERMISSIONS, permissions),
    Route("GET", "arm", WORKSPACE + _PERMISSIONS, permissions),
)
