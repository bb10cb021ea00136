"""The endpoint file: all that a scoring server is told, written by whoever supervises it."""

import os
from pathlib import Path

import msgspec

from core.domain.endpoint import EndpointLimits
from core.domain.errors import SpecInvalid

FORMAT = 1

POLL_S = 0.2
"""How often the file is looked at: a rotated key must be in force within 1 s."""

Stamp = tuple[int, int, int]


class DeploymentFile(msgspec.Struct, frozen=True):
    """One deployment: the model folder, and how it answers."""

    folder: str
    model: str
    model_version: int
    legacy_reply: bool = False
    primary_form: str = "v1"
    unseen_categories: str = "as_signature"


class EndpointFile(msgspec.Struct, frozen=True):
    """One endpoint. `version` grows with every change; keys are here as SHA-256 digests in hex only.

    `origins` names those of the digests that are no client's: a request with such a key is recorded under that name.
    """

    format: int
    version: int
    endpoint: str
    host: str
    port: int
    key_digests: tuple[str, ...]
    traffic: dict[str, int]
    limits: EndpointLimits
    telemetry_dir: str
    status_file: str
    deployments: dict[str, DeploymentFile]
    mirror: dict[str, int] = {}
    segment_s: float = 10.0
    origins: dict[str, str] = {}


def read(path: Path) -> EndpointFile:
    """The endpoint file at `path`. Raises SpecInvalid that names what is wrong with it."""
    try:
        file = msgspec.json.decode(path.read_bytes(), type=EndpointFile)
    except OSError as e:
        raise SpecInvalid(f"The endpoint file {path} cannot be read: {e.strerror}") from e
    except msgspec.DecodeError as e:
        raise SpecInvalid(f"The endpoint file {path} is damaged: {e}") from e
    if file.format != FORMAT:
        raise SpecInvalid(f"The endpoint file {path} has format {file.format}, expected {FORMAT}")
    return file


def stamp(path: Path) -> Stamp:
    """Changes with every atomic write of the file; zeros while it is not to be had."""
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_ino, found.st_size)
