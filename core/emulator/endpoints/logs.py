"""What the containers of a deployment have said: of the one that fetches the model, and of the one that serves it."""

import hashlib
import traceback
from datetime import UTC, datetime
from pathlib import Path

from core.emulator.emulation import Emulation
from core.emulator.endpoints import places
from core.emulator.endpoints.checks import refused
from core.emulator.messages import Document, Reply, Request

CONTAINERS = {
    "": "inference-server",
    "inferenceserver": "inference-server",
    "storageinitializer": "storage-initializer",
}
TAIL_MAX = 10_000


def answer(emulation: Emulation, resource: Document, request: Request) -> Reply:
    """The last lines of a container."""
    asked = request.document()
    kind = str(asked.get("containerType") or "")
    if kind.lower() not in CONTAINERS:
        raise refused(f"The containerType '{kind}' is not InferenceServer or StorageInitializer.", "BadArgument")
    tail = asked.get("tail")
    if tail is not None and (isinstance(tail, bool) or not isinstance(tail, int) or tail < 1):
        raise refused(f"tail is {tail!r}, expected a whole number from 1 on.", "BadArgument")
    container = CONTAINERS[kind.lower()]
    said = _read(file_of(emulation, resource["id"], container))
    if container == "inference-server":
        said += _server(emulation, resource)
    lines = said[-min(tail or TAIL_MAX, TAIL_MAX) :]
    return Reply(body={"content": "\n".join([f"Instance status: {container}", *lines]) + "\n"})


def _server(emulation: Emulation, resource: Document) -> list[str]:
    """What the workspace's server has said, where it serves this deployment."""
    place = places.place_of(emulation, resource["id"].rpartition("/deployments/")[0])
    if place is None or not place.local_deployment(resource["name"]):
        return []
    if places.local_endpoint(emulation, place) is None:
        return []
    lines = emulation.workspace.endpoints.logs(place.local, TAIL_MAX)
    return [f"{stamp(line.at)} {line.level[:1].upper()} azmlinfsrv - {line.text}" for line in lines]


def stamp(at: float) -> str:
    """A time as the inference server writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]


def file_of(emulation: Emulation, deployment_id: str, container: str = "inference-server") -> Path:
    """Where a container's lines are kept."""
    name = hashlib.sha256(deployment_id.lower().encode()).hexdigest()[:24]
    return emulation.folder / "deployments" / name / f"{container}.log"


def begin(emulation: Emulation, deployment_id: str) -> None:
    """A new container has nothing to say of an old one."""
    forget(emulation, deployment_id)


def forget(emulation: Emulation, deployment_id: str) -> None:
    """With the deployment, its lines go."""
    for container in set(CONTAINERS.values()):
        file_of(emulation, deployment_id, container).unlink(missing_ok=True)


def store(emulation: Emulation, deployment_id: str, text: str) -> None:
    """A line of the container that fetches the model."""
    write(emulation, deployment_id, f"{stamp(emulation.clock.now())} I {text}", "storage-initializer")


def write(emulation: Emulation, deployment_id: str, text: str, container: str = "inference-server") -> None:
    """More lines."""
    path = file_of(emulation, deployment_id, container)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a", encoding="utf-8") as file:
        file.write(text.rstrip("\n") + "\n")


def trace(emulation: Emulation, deployment_id: str) -> None:
    """The exception that is being handled, as a crashed container would show it."""
    write(emulation, deployment_id, traceback.format_exc())


def _read(path: Path) -> list[str]:
    return path.read_text("utf-8", "replace").splitlines() if path.exists() else []
