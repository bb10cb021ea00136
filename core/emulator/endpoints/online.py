"""The resource `onlineEndpoints`: each is an endpoint of the workspace, with its keys, its traffic and its address."""

import uuid

from core.domain.endpoint import EndpointSpec, EndpointState
from core.domain.errors import SlipwayError
from core.emulator import entra
from core.emulator.arm import operations
from core.emulator.arm.kinds import Kind
from core.emulator.emulation import Emulation
from core.emulator.endpoints import own_code, places, traces
from core.emulator.endpoints.checks import auth_mode, check_name, check_traffic, percents, refused
from core.emulator.endpoints.places import WHO, Place
from core.emulator.messages import Document, Reply, Request

DEAD = (EndpointState.FAILED, EndpointState.STOPPED)
AUTH = ("Key", "AMLToken", "AADToken")
TOKEN_S, REFRESH_S = 12 * 3600, 10 * 3600
"""How long a token of an endpoint is good, and after how long another should be asked for."""


def put(emulation: Emulation, request: Request, before: Document | None, wanted: Document) -> Document:
    """Make the endpoint, or have its new traffic in force."""
    name, given = wanted["name"], wanted["properties"]
    check_name("endpoint", name)
    mode = auth_mode(given.get("authMode"), AUTH)
    if before and before["properties"]["authMode"] != mode:
        raise refused(f"The authMode of the endpoint '{name}' cannot be changed.", "BadArgument")
    check_traffic(given, deployments_of(emulation, wanted["id"]))
    place = places.place_of(emulation, wanted["id"]) or _made(emulation, wanted, given.get("description") or "")
    if chosen := given.get("keys"):
        place.keys = {"primary": chosen.get("primaryKey") or "", "secondary": chosen.get("secondaryKey") or ""}
        places.keep(emulation, place)
    apply_traffic(emulation, place, given)
    earlier = (before or {}).get("properties", {})
    properties = {
        "description": given.get("description"),
        "properties": {"azureml.onlineendpointid": wanted["id"].lower(), **(given.get("properties") or {})},
        "scoringUri": earlier.get("scoringUri"),
        "swaggerUri": earlier.get("swaggerUri"),
        "authMode": mode,
        "provisioningState": "Updating" if before else "Creating",
        "compute": given.get("compute"),
        "traffic": percents(given, "traffic"),
        "mirrorTraffic": percents(given, "mirrorTraffic"),
        "publicNetworkAccess": given.get("publicNetworkAccess") or "Enabled",
    }
    return {
        **{part: wanted[part] for part in ("id", "name", "type", "systemData")},
        "tags": wanted.get("tags") or {},
        "location": wanted.get("location") or emulation.names.region,
        "kind": wanted.get("kind") or "Managed",
        "identity": identity(emulation, wanted),
        "properties": properties,
    }


def identity(emulation: Emulation, wanted: Document) -> Document:
    """Who the endpoint is: of its own accord, or a given one; ids stay the same for one endpoint."""
    given = dict(wanted.get("identity") or {"type": "SystemAssigned"})
    made = uuid.uuid5(uuid.NAMESPACE_URL, wanted["id"].lower())
    if "systemassigned" in str(given.get("type", "")).lower():
        given["principalId"], given["tenantId"] = str(made), emulation.names.tenant
    if users := given.get("userAssignedIdentities"):
        given.setdefault("principalId", str(uuid.UUID(int=0)))
        given.setdefault("tenantId", emulation.names.tenant)
        given["userAssignedIdentities"] = {
            name: {"principalId": str(made), "clientId": str(uuid.uuid5(made, name))} for name in users
        }
    return given


def _made(emulation: Emulation, wanted: Document, description: str) -> Place:
    place = places.new_place(emulation, wanted["id"], wanted["name"])
    try:
        emulation.workspace.endpoints.create(EndpointSpec(place.local, description=description))
    except SlipwayError as e:
        raise refused(str(e), "Conflict", 409) from e
    places.keep(emulation, place)
    places.awake(emulation)
    return place


def deployments_of(emulation: Emulation, endpoint_id: str) -> dict[str, Document]:
    """Name in lower case -> document of each deployment, as it was kept last."""
    below = emulation.state.below(f"{endpoint_id}/deployments/")
    return {document["name"].lower(): document for _, document in below}


def apply_traffic(emulation: Emulation, place: Place, properties: Document) -> None:
    """Give each deployment of the workspace its percent; where code of a client serves too, the front end chooses."""
    traffic = {name: share for name, share in percents(properties, "traffic").items() if share}
    mirror = {name: share for name, share in percents(properties, "mirrorTraffic").items() if share}
    if not place.deployments:
        return
    here = {name: place.local_deployment(name) for name in (*traffic, *mirror)}
    all_here = all(here.values())
    emulation.workspace.endpoints.set_traffic(
        place.local,
        {here[name]: share for name, share in traffic.items()} if all_here else {},
        {here[name]: share for name, share in mirror.items()} if all_here else {},
        force=True,
        by=WHO,
    )


def read(emulation: Emulation, resource: Document) -> Document:
    """As it is now: it is there once the workspace has it, and changed once its server has taken the change up."""
    properties = resource["properties"]
    state = properties["provisioningState"]
    if state not in operations.GOING_ON:
        return resource
    place = places.place_of(emulation, resource["id"])
    local = places.local_endpoint(emulation, place) if place else None
    if state == "Deleting":
        if place:
            places.forget(emulation, place)
        return resource | {"properties": properties | {"provisioningState": "Deleted"}}
    if local is None:
        return operations.failed(emulation, resource, "InternalServerError", "The endpoint is gone")
    if local.deployments and not local.settled and local.state not in DEAD:
        return resource
    host = emulation.names.scoring_host(resource["name"].lower())
    made = {"scoringUri": f"https://{host}/score", "swaggerUri": f"https://{host}/swagger.json"}
    return resource | {"properties": properties | made | {"provisioningState": "Succeeded"}}


def delete(emulation: Emulation, resource: Document) -> None:
    """The workspace's endpoint goes with all its deployments, a moment later; its name here is free at once."""
    place = places.place_of(emulation, resource["id"])
    if place is None:
        return
    for deployment in deployments_of(emulation, resource["id"]).values():
        own_code.stop(emulation, deployment["id"])
    if places.local_endpoint(emulation, place):
        emulation.workspace.endpoints.delete(place.local)
        places.awake(emulation)
    traces.forget(emulation, place)


def keys_of(emulation: Emulation, place: Place) -> dict[str, str]:
    """Both keys as clients know them."""
    own = emulation.workspace.endpoints.keys(place.local)
    return {
        "primary": place.keys.get("primary") or own.primary,
        "secondary": place.keys.get("secondary") or own.secondary,
    }


def list_keys(emulation: Emulation, resource: Document, request: Request) -> Reply:
    """Both keys; refused where the endpoint takes tokens."""
    keys = keys_of(emulation, _keyed(emulation, resource))
    return Reply(body={"primaryKey": keys["primary"], "secondaryKey": keys["secondary"]})


def regenerate_keys(emulation: Emulation, resource: Document, request: Request) -> Reply:
    """Another key in the place of one; a value that is the present one asks for a new one, as the SDK does."""
    place = _keyed(emulation, resource)
    asked = request.document()
    which = str(asked.get("keyType", "")).lower()
    if which not in ("primary", "secondary"):
        raise refused(f"The keyType '{asked.get('keyType')}' is not Primary or Secondary.", "BadArgument")
    value = asked.get("keyValue")
    chosen = value if value and value not in keys_of(emulation, place).values() else ""
    emulation.workspace.endpoints.rotate_key(place.local, which)
    place.keys = {**place.keys, which: chosen}
    places.keep(emulation, place)
    resource["properties"]["provisioningState"] = "Updating"
    emulation.state.put(resource["id"], resource)
    return Reply(202, headers=operations.begun(emulation, KIND, resource, "post", request))


def token(emulation: Emulation, resource: Document, request: Request) -> Reply:
    """A token for the endpoint's data plane, where it takes those."""
    if resource["properties"]["authMode"] == "Key":
        raise refused(f"The endpoint '{resource['name']}' uses keys: it has no token.", "BadArgument")
    now = emulation.clock.now()
    expires, refresh = int(now + TOKEN_S), int(now + REFRESH_S)
    return Reply(
        body={
            "accessToken": entra.signed(emulation, audience(resource["name"]), expires),
            "tokenType": "Bearer",
            "expiryTimeUtc": expires,
            "refreshAfterTimeUtc": refresh,
        }
    )


def audience(endpoint: str) -> str:
    """Whom a token of an endpoint is for."""
    return f"azureml:onlineendpoint:{endpoint.lower()}"


def _keyed(emulation: Emulation, resource: Document) -> Place:
    if resource["properties"]["authMode"] != "Key":
        raise refused(f"The endpoint '{resource['name']}' does not use keys for authentication.", "BadArgument")
    place = places.place_of(emulation, resource["id"])
    if place is None or places.local_endpoint(emulation, place) is None:
        raise refused(f"The endpoint '{resource['name']}' is not there any more.", "ResourceNotFound", 404)
    return place


def listed(resource: Document, request: Request) -> bool:
    """By the query: name, tags, compute type."""
    query = request.query
    if (name := query.get("name")) and resource["name"].lower() != name.lower():
        return False
    if (kind := query.get("computetype")) and str(resource.get("kind", "")).lower() != kind.lower():
        return False
    wanted = dict(part.partition("=")[::2] for part in query.get("tags", "").split(",") if part)
    return all(resource.get("tags", {}).get(tag) == value for tag, value in wanted.items())


KIND = Kind(
    "onlineEndpoints",
    put=put,
    read=read,
    delete=delete,
    actions={"listKeys": list_keys, "regenerateKeys": regenerate_keys, "token": token},
    takes_time=True,
    prefix="oe",
    matches=listed,
)
