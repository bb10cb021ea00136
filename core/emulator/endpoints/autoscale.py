"""Azure Monitor's autoscale settings of deployments: kept as they were sent, and the bounds of their capacity in force.

Rules are kept and do not fire: one machine answers here, whatever their metrics say.
"""

import re

from core.emulator.arm.resources import known
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.endpoints.checks import refused
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.routes import Route

SETTINGS = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Insights/autoscalesettings"
TARGET = re.compile(r".*/onlineEndpoints/[^/]+/deployments/[^/]+", re.IGNORECASE)


def put(emulation: Emulation, request: Request) -> Reply:
    """Keep the settings; a deployment has at once at least, and at most, as many instances as they say."""
    known(emulation, request)
    sent = request.document()
    properties = sent.get("properties") or {}
    deployment = _target(emulation, properties)
    bounds = [_bounds(profile) for profile in properties.get("profiles") or []]
    if not bounds:
        raise refused("properties.profiles has no profile.", "BadRequest")
    path = _path(emulation, request)
    before: Document | None = emulation.state.get(path)
    now = iso(emulation.clock.now())
    kept: Document = {
        "id": path,
        "name": request.found["name"],
        "type": "Microsoft.Insights/autoscaleSettings",
        "location": sent.get("location") or emulation.names.region,
        "tags": sent.get("tags") or {},
        "properties": {
            "enabled": True,
            "notifications": [],
            "targetResourceLocation": emulation.names.region,
            **properties,
            "name": request.found["name"],
            "targetResourceUri": deployment["id"],
        },
        "systemData": {"createdAt": before["systemData"]["createdAt"] if before else now, "lastModifiedAt": now},
    }
    with emulation.state.lock:
        emulation.state.put(path, kept)
        if kept["properties"]["enabled"]:
            low, high = bounds[0]
            deployment["sku"]["capacity"] = min(max(deployment["sku"]["capacity"], low), high)
            emulation.state.put(deployment["id"], deployment)
    return Reply(200 if before else 201, kept)


def _target(emulation: Emulation, properties: Document) -> Document:
    """The deployment that is to be scaled. Raises AzureError 400 and 404."""
    said = str(properties.get("targetResourceUri") or "")
    if not TARGET.fullmatch(said):
        raise refused(f"targetResourceUri '{said}' is not a deployment of an online endpoint.", "BadRequest")
    found: Document | None = emulation.state.get(said)
    if found is None:
        raise refused(f"The deployment '{said}' was not found.", "ResourceNotFound", 404)
    return found


def _bounds(profile: Document) -> tuple[int, int]:
    """Least and most instances of a profile; they come as texts. Raises AzureError 400."""
    capacity = profile.get("capacity") or {}
    try:
        low, high, usual = (int(capacity[name]) for name in ("minimum", "maximum", "default"))
    except (KeyError, TypeError, ValueError) as e:
        raise refused("A profile's capacity has a minimum, a maximum and a default, all numbers.", "BadRequest") from e
    if not 1 <= low <= usual <= high:
        raise refused(f"The capacity of a profile is {low} <= {usual} <= {high}, which is not so.", "BadRequest")
    return low, high


def get(emulation: Emulation, request: Request) -> Reply:
    known(emulation, request)
    found = emulation.state.get(_path(emulation, request))
    if found is None:
        raise AzureError(
            404, "ResourceNotFound", f"The autoscale setting '{request.found['name']}' could not be found."
        )
    return Reply(body=found)


def listed(emulation: Emulation, request: Request) -> Reply:
    known(emulation, request)
    return Reply(body={"value": [kept for _, kept in emulation.state.below(_folder(emulation))]})


def delete(emulation: Emulation, request: Request) -> Reply:
    """The deployment keeps as many instances as it has."""
    known(emulation, request)
    return Reply(200 if emulation.state.delete(_path(emulation, request)) else 204)


def _folder(emulation: Emulation) -> str:
    return f"{emulation.names.group_path}/providers/Microsoft.Insights/autoscaleSettings/"


def _path(emulation: Emulation, request: Request) -> str:
    return _folder(emulation) + request.found["name"]


ROUTES = (
    Route("PUT", "arm", SETTINGS + "/{name}", put),
    Route("GET", "arm", SETTINGS + "/{name}", get),
    Route("DELETE", "arm", SETTINGS + "/{name}", delete),
    Route("GET", "arm", SETTINGS, listed),
)
