"""What the workspace calls an emulated endpoint and its deployments, and what else is kept of one."""

import hashlib
import threading
from dataclasses import asdict, dataclass, field
from typing import Any

from core.domain import names
from core.domain.endpoint import Endpoint
from core.domain.errors import EndpointNotFound
from core.emulator.emulation import Emulation

NAME_CHARS = 20
"""Of a name that the workspace would not take; a digest follows."""
WHO = "a client of Azure ML"


@dataclass
class Place:
    """One emulated endpoint: what it is called here, and what of it is no part of its ARM document."""

    id: str
    name: str
    """As Azure has it."""
    local: str
    """Of the endpoint in the workspace."""
    keys: dict[str, str] = field(default_factory=dict)
    """`primary` and `secondary` where a client has chosen its own; the workspace's are meant otherwise."""
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Azure's name in lower case -> `name`, `local` (the workspace's) or `code` (a process of its own)."""

    def local_deployment(self, name: str) -> str:
        """What the workspace calls a deployment; empty where it has none such."""
        return str(self.deployments.get(name.lower(), {}).get("local", ""))

    def azure_deployment(self, local: str) -> str:
        """What Azure's clients call it."""
        known = (each["name"] for each in self.deployments.values() if each.get("local") == local)
        return str(next(known, local))


def place_of(emulation: Emulation, endpoint_id: str) -> Place | None:
    """What is kept of an endpoint, by its ARM id."""
    kept = emulation.state.get(_key(endpoint_id))
    return Place(**kept) if kept else None


def new_place(emulation: Emulation, endpoint_id: str, name: str) -> Place:
    """An endpoint's place, under a name that the workspace takes and that no other endpoint there has."""
    taken = {endpoint.name for endpoint in emulation.workspace.endpoints.list()}
    local = name if names.ENDPOINT.fullmatch(name) else _short(names.endpoint_name(name), endpoint_id)
    return Place(endpoint_id, name, _short(local, endpoint_id + "'") if local in taken else local)


def keep(emulation: Emulation, place: Place) -> None:
    """Remember it."""
    emulation.state.put(_key(place.id), asdict(place))


def forget(emulation: Emulation, place: Place) -> None:
    """Its name is free for another."""
    emulation.state.delete(_key(place.id))


def local_name_of(deployment: str) -> str:
    """The name that the workspace has for a deployment."""
    return deployment if names.DEPLOYMENT.fullmatch(deployment) else _short(deployment.lower(), deployment)


def local_endpoint(emulation: Emulation, place: Place) -> Endpoint | None:
    """The endpoint of the workspace as it is now; None where it is gone."""
    try:
        return emulation.workspace.endpoints.get(place.local)
    except EndpointNotFound:
        return None


def batch_endpoint(deployment_id: str) -> str:
    """The endpoint of the workspace that scores tables for a batch deployment: its own, which no client sees."""
    return f"batch-{hashlib.sha256(deployment_id.lower().encode()).hexdigest()[:16]}"


def withdraw_batch(emulation: Emulation, deployment_id: str) -> None:
    """What scored tables for a batch deployment goes."""
    name = batch_endpoint(deployment_id)
    if any(each.name == name for each in emulation.workspace.endpoints.list()):
        emulation.workspace.endpoints.delete(name)
    emulation.state.delete(f"batch-serving/{deployment_id.lower()}")


STARTING = "emulation-service"
"""Name of the thread that starts it."""


def awake(emulation: Emulation) -> None:
    """Somebody must start servers: the workspace's service, where it does not run. Nobody waits for that."""
    if emulation.options.starts_service and emulation.workspace.can("service.start"):
        threading.Thread(target=emulation.workspace.service.start, name=STARTING, daemon=True).start()


def _short(name: str, what: str) -> str:
    digest = hashlib.sha256(what.lower().encode()).hexdigest()[:8]
    return f"{name[:NAME_CHARS].rstrip('-')}-{digest}"


def _key(endpoint_id: str) -> str:
    return f"serving/{endpoint_id.lower()}"
