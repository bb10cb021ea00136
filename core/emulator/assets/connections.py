"""Connections to other services: what is said of them, and their credentials apart."""

from core.emulator.arm.kinds import Kind
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Reply, Request


def put(emulation: Emulation, request: Request, before: Document | None, wanted: Document) -> Document:
    """Raises AzureError 400 for one that leads nowhere."""
    sent = {key: value for key, value in wanted["properties"].items() if value is not None}
    if not sent.get("category") or not sent.get("authType"):
        raise AzureError(400, "UserError", "A connection needs a category and an authType")
    credentials = sent.pop("credentials", None)
    if credentials:
        emulation.state.put(_key(wanted), credentials)
    own = {"isSharedToAll": False, "sharedUserList": [], "metadata": {}, "group": "Generic"}
    return wanted | {"properties": {**own, **sent, "credentials": None}}


def list_secrets(emulation: Emulation, resource: Document, request: Request) -> Reply:
    """The connection with its credentials."""
    credentials = emulation.state.get(_key(resource))
    return Reply(body=resource | {"properties": resource["properties"] | {"credentials": credentials}})


def delete(emulation: Emulation, resource: Document) -> None:
    emulation.state.delete(_key(resource))


def matches(resource: Document, request: Request) -> bool:
    query, properties = request.query, resource["properties"]
    for name in ("category", "target"):
        if query.get(name) and str(properties.get(name, "")).lower() != query[name].lower():
            return False
    return True


def _key(resource: Document) -> str:
    return f"secret/connections/{resource['name']}"


KIND = Kind(
    "connections",
    put=put,
    delete=delete,
    actions={"listsecrets": list_secrets},
    missing=("UserError", "Connection {name} was not found."),
    made=200,
    matches=matches,
)
