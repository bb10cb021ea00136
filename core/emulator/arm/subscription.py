"""The subscription and its resource group as Azure Resource Manager shows them: providers, and what one is allowed."""

from core.emulator.arm.resources import WORKSPACE, known
from core.emulator.emulation import Emulation
from core.emulator.messages import Document, Reply, Request
from core.emulator.routes import Route

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


def group(emulation: Emulation, request: Request) -> Reply:
    known(emulation, request)
    names = emulation.names
    return Reply(
        body={
            "id": names.group_path,
            "name": names.resource_group,
            "type": "Microsoft.Resources/resourceGroups",
            "location": names.region,
            "tags": {},
            "properties": {"provisioningState": "Succeeded"},
        }
    )


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
ROUTES = (
    Route("GET", "arm", "/subscriptions", listed),
    Route("GET", "arm", _SUBSCRIPTION, show),
    Route("GET", "arm", _SUBSCRIPTION + "/resourceGroups/{group}", group),
    Route("GET", "arm", _SUBSCRIPTION + "/providers/{namespace}", provider),
    Route("GET", "arm", _SUBSCRIPTION + "/resourceGroups/{group}" + _PERMISSIONS, permissions),
    Route("GET", "arm", WORKSPACE + _PERMISSIONS, permissions),
)
