"""The service's side of the two files by which it and a scoring server tell each other what to be, and what is."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from core.contract.endpoint_file import DeploymentFile, EndpointFile, ServerStatus
from core.domain.endpoint import DeploymentSpec
from core.durable import write_atomic


def deployment(spec: DeploymentSpec, folder: str) -> DeploymentFile:
    """One deployment's part of the file."""
    return DeploymentFile(
        folder=folder,
        model=spec.model,
        model_version=spec.model_version,
        legacy_reply=spec.legacy_reply,
        primary_form=spec.primary_form,
        unseen_categories=spec.unseen_categories,
    )


def write(path: Path, file: EndpointFile) -> bool:
    """Write the file where it would be another; whether it was. Raises StorageFull."""
    content = msgspec.json.encode(file)
    if path.exists() and path.read_bytes() == content:
        return False
    write_atomic(path, content)
    return True


def read_status(path: Path, pids: Iterable[int]) -> ServerStatus | None:
    """What the server with one of these pids says; None before it said anything, or where a dead one said it."""
    try:
        status = msgspec.json.decode(path.read_bytes(), type=ServerStatus)
    except FileNotFoundError:
        return None
    return status if status.pid in pids else None
