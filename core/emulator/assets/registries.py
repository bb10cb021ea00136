"""Registries to read from: Azure's own, with its curated environments. Nothing can be put into one here."""

from core.emulator.arm.pages import page
from core.emulator.assets.environments import CURATED, MADE_AT, curated
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.names import NAMESPACE
from core.emulator.routes import Route

NAMES = ("azureml", "azureml-meta", "azureml-msr")
KINDS = ("environments", "models", "data", "codes", "components")
WHO: Document = {
    "createdAt": MADE_AT, "createdBy": "Microsoft", "createdByType": "User",
    "lastModifiedAt": MADE_AT, "lastModifiedBy": "Microsoft", "lastModifiedByType": "User",
}  # fmt: skip


def discovery(emulation: Emulation, request: Request) -> Reply:
    """Where a registry is reached."""
    name = _known(request)
    names = emulation.names
    return Reply(
        body={
            "registryName": name,
            "tenantId": names.tenant,
            "primaryRegion": names.region,
            "regions": [names.region],
            "subscriptionId": names.subscription,
            "resourceGroup": names.resource_group,
            "workspaceName": None,
            "primaryRegionResourceProviderUri": f"https://{names.api_host}/",
        }
    )


def show(emulation: Emulation, request: Request) -> Reply:
    """A registry as ARM shows it."""
    return Reply(body=_registry(emulation, _known(request)))


def listed(emulation: Emulation, request: Request) -> Reply:
    return Reply(body={"value": [_registry(emulation, name) for name in NAMES]})


def read(emulation: Emulation, request: Request) -> Reply:
    """Containers and versions of what is in a registry."""
    name = _known(request)
    kind, *rest = request.found["rest"].strip("/").split("/")
    if kind.lower() not in KINDS:
        raise AzureError(404, "UserError", f"A registry has no '{kind}'")
    base = f"azureml://registries/{name}/{kind.lower()}"
    there = {known.lower(): known for known in CURATED} if (name, kind.lower()) == ("azureml", "environments") else {}
    if not rest:
        return Reply(body=page(request, [_container(base, each) for each in there.values()]))
    if rest[0].lower() not in there:
        if rest[1:] == ["versions"]:
            return Reply(body={"value": []})
        raise AzureError(404, "UserError", f"Could not find asset with ID: {base}/{'/'.join(rest)}")
    found = there[rest[0].lower()]
    if len(rest) == 1:
        return Reply(body=_container(base, found))
    if len(rest) == 2:
        return Reply(body=page(request, [_version(base, found)]))
    if rest[2].lower() not in (CURATED[found], "latest"):
        raise AzureError(404, "UserError", f"Could not find asset with ID: {base}/{'/'.join(rest)}")
    return Reply(body=_version(base, found))


def refuse(emulation: Emulation, request: Request) -> Reply:
    """Registries are shared between workspaces, and there is one workspace."""
    raise AzureError(403, "UserError", "Registries are there to read from in an emulation: nothing can be put into one")


def _known(request: Request) -> str:
    name = request.found["registry"].lower()
    if name not in NAMES:
        raise AzureError(404, "UserError", f"The registry '{request.found['registry']}' was not found")
    return name


def _registry(emulation: Emulation, name: str) -> Document:
    names = emulation.names
    return {
        "id": f"{names.group_path}/providers/{NAMESPACE}/registries/{name}",
        "name": name,
        "type": f"{NAMESPACE}/registries",
        "location": names.region,
        "tags": {},
        "identity": None,
        "properties": {
            "discoveryUrl": f"https://{names.api_host}/registrymanagement/v1.0/registries/{name}/discovery",
            "publicNetworkAccess": "Enabled",
            "regionDetails": [{"location": names.region}],
        },
        "systemData": WHO,
    }


def _container(base: str, name: str) -> Document:
    own: Document = {"description": None, "tags": {}, "properties": {}, "isArchived": False}
    numbers = {"latestVersion": CURATED[name], "nextVersion": str(int(CURATED[name]) + 1)}
    kind = f"{NAMESPACE}/registries/environments"
    return {"id": f"{base}/{name}", "name": name, "type": kind, "properties": own | numbers, "systemData": WHO}


def _version(base: str, name: str) -> Document:
    version = CURATED[name]
    return {
        "id": f"{base}/{name}/versions/{version}", "name": version,
        "type": f"{NAMESPACE}/registries/environments/versions", "systemData": WHO,
        "properties": curated(name, version),
    }  # fmt: skip


_ARM = "/subscriptions/{subscription}/resourceGroups/{group}/providers/" + NAMESPACE + "/registries"
_ALL = "/subscriptions/{subscription}/providers/" + NAMESPACE + "/registries"
ROUTES = (
    Route("GET", "api", "/registrymanagement/v1.0/registries/{registry}/discovery", discovery),
    Route("GET", "arm", _ALL, listed),
    Route("GET", "arm", _ARM, listed),
    Route("GET", "arm", _ARM + "/{registry}", show),
    Route("GET", "arm", _ARM + "/{registry}/{rest:rest}", read),
    Route("*", "arm", _ARM + "/{registry}{rest:rest}", refuse),
)
