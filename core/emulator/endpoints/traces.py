"""What the front end knows of a request and the workspace's own records do not: the client's id, and code's answers."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.emulator.emulation import Emulation
from core.emulator.endpoints.places import Place
from core.emulator.messages import Reply, Request

BYTES_MAX = 16 << 20
"""Of the notes of one endpoint; the older half goes then."""

_LOCK = threading.Lock()


def note(
    emulation: Emulation,
    place: Place,
    request: Request,
    reply: Reply,
    *,
    deployment: str,
    at: float,
    elapsed_ms: float,
) -> None:
    """A line for the request, kept beside the emulation's state."""
    code = "code" in place.deployments.get(deployment.lower(), {})
    status = int(reply.headers.get("ms-azureml-model-error-statuscode", reply.status))
    line = {
        "at": at,
        "request_id": reply.headers.get("x-request-id", ""),
        "client_id": request.headers.get("x-ms-client-request-id", ""),
        "deployment": deployment,
        "status": status,
        "elapsed_ms": round(elapsed_ms, 3),
        "path": request.path,
        "method": request.method,
        "code": code,
    }
    path = _file(emulation, place)
    with _LOCK:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists() and path.stat().st_size > BYTES_MAX:
            path.replace(path.with_suffix(".older"))
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def notes(emulation: Emulation, place: Place) -> Iterator[dict[str, Any]]:
    """All lines that are kept, the oldest first."""
    path = _file(emulation, place)
    for each in (path.with_suffix(".older"), path):
        if each.exists():
            with each.open(encoding="utf-8") as file:
                yield from (json.loads(line) for line in file if line.endswith("\n"))


def forget(emulation: Emulation, place: Place) -> None:
    """With the endpoint, its notes go."""
    for path in (_file(emulation, place), _file(emulation, place).with_suffix(".older")):
        path.unlink(missing_ok=True)


def _file(emulation: Emulation, place: Place) -> Path:
    return emulation.folder / "requests" / f"{place.local}.jsonl"
