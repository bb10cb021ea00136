"""The one file through which the service tells a scoring server what to be, and the one through which it answers."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.domain.endpoint import DeploymentSpec, EndpointKeys, EndpointLimits
from core.domain.monitoring import Origin
from core.local.machine.durable import write_atomic

FORMAT = 1
HOST = "127.0.0.1"


class DeploymentStatus(msgspec.Struct):
    """`ready`, or `failed` with the last line of the traceback."""

    state: str
    error: str = ""


class ServerStatus(msgspec.Struct):
    """What the server says of itself: its parent's pid and port, the version it has taken up, its deployments."""

    pid: int
    version: int
    port: int = 0
    deployments: dict[str, DeploymentStatus] = msgspec.field(default_factory=dict)


def wanted(
    name: str,
    version: int,
    port: int,
    *,
    keys: EndpointKeys,
    limits: EndpointLimits,
    telemetry: Path,
    segment_s: float,
    status_file: Path,
    deployments: dict[str, dict[str, Any]],
    traffic: dict[str, int],
    mirror: dict[str, int] | None = None,
    origins: Mapping[Origin, str] | None = None,
) -> dict[str, Any]:
    """The endpoint file's content. It holds digests of the keys, never the keys.

    `origins` are the keys of our own senders. They open the endpoint as the others do, also where a server of an older
    Slipway reads this, which does not know whose they are.
    """
    own = {digest(key): origin.value for origin, key in (origins or {}).items()}
    return {
        "format": FORMAT,
        "version": version,
        "endpoint": name,
        "host": HOST,
        "port": port,
        "key_digests": [digest(key) for key in (keys.primary, keys.secondary)] + list(own),
        "origins": own,
        "traffic": traffic,
        "mirror": mirror or {},
        "limits": msgspec.to_builtins(limits),
        "telemetry_dir": str(telemetry),
        "segment_s": segment_s,
        "status_file": str(status_file),
        "deployments": deployments,
    }


def deployment(spec: DeploymentSpec, folder: str) -> dict[str, Any]:
    """One deployment's part of the endpoint file."""
    return {
        "folder": folder,
        "model": spec.model,
        "model_version": spec.model_version,
        "legacy_reply": spec.legacy_reply,
        "primary_form": spec.primary_form,
        "unseen_categories": spec.unseen_categories,
    }


def digest(key: str) -> str:
    """SHA-256 in hex: keys have 256 random bits, so nothing slower is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def write(path: Path, content: dict[str, Any]) -> None:
    """Raises StorageFull."""
    write_atomic(path, msgspec.json.encode(content))


def written_version(path: Path) -> int:
    """The version that the file holds; 0 without a file, and for one that an older Slipway wrote without `origins`."""
    if not path.exists():
        return 0
    written = msgspec.json.decode(path.read_bytes())
    return int(written["version"]) if "origins" in written else 0


def read_status(path: Path, pids: Iterable[int]) -> ServerStatus | None:
    """What the server with one of these pids says; None before it said anything, or where a dead one said it."""
    try:
        status = msgspec.json.decode(path.read_bytes(), type=ServerStatus)
    except FileNotFoundError:
        return None
    return status if status.pid in pids else None
