"""The two files between a scoring server and whoever supervises it: what it is told, and what it answers."""

import hashlib
from dataclasses import fields
from typing import Any

import msgspec

from core.domain.endpoint import EndpointLimits
from core.domain.errors import SpecInvalid

FORMAT = 2
"""Grows with a field that a server must know to do as it is told. Fields are added, and none changes its meaning.

A server leaves out what it does not know, whatever the format: did it refuse the file, a revoked key would stay in
force. The service renews servers whose format is older than its own.
"""


class DeploymentFile(msgspec.Struct, frozen=True):
    """One deployment: the model folder, and how it answers."""

    folder: str
    model: str
    model_version: int
    legacy_reply: bool = False
    primary_form: str = "v1"
    unseen_categories: str = "as_signature"


class EndpointFile(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint. `version` grows with every change; keys are here as SHA-256 digests in hex only.

    `origins` names those of the digests that are no client's: a request with such a key is recorded under that name.
    """

    format: int = FORMAT
    version: int
    endpoint: str
    host: str
    port: int
    key_digests: tuple[str, ...]
    origins: dict[str, str] = {}
    traffic: dict[str, int]
    mirror: dict[str, int] = {}
    limits: EndpointLimits
    telemetry_dir: str
    segment_s: float = 10.0
    status_file: str
    deployments: dict[str, DeploymentFile]


class DeploymentStatus(msgspec.Struct, frozen=True):
    """`ready`, or `failed` with the last line of the traceback."""

    state: str
    error: str = ""


class WorkerReport(msgspec.Struct, frozen=True):
    """What a worker has taken up: the version of the endpoint file, its deployments, and the format it reads."""

    version: int
    deployments: dict[str, DeploymentStatus]
    format: int = 0
    """0: it is of a time when servers did not say."""


class ServerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status file: the server's parent's pid and port, and what all its workers have taken up."""

    pid: int
    port: int = 0
    version: int
    format: int = 0
    deployments: dict[str, DeploymentStatus] = {}


def digest(key: str) -> str:
    """SHA-256 in hex: keys have 256 random bits, so nothing slower is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def decode(data: bytes) -> EndpointFile:
    """The endpoint file that these bytes are. Raises SpecInvalid that says what cannot be understood."""
    try:
        values = msgspec.json.decode(data, type=dict[str, Any])
        told: Any = msgspec.convert(values, _Told)
        file = msgspec.convert(values | {"limits": {}}, EndpointFile)
    except msgspec.DecodeError as e:
        raise SpecInvalid(str(e)) from e
    return msgspec.structs.replace(file, limits=_unjudged(told.limits))


# Limits are judged where they are asked for; the rules there may be newer than ours.
_Limits = msgspec.defstruct("_Limits", [(f.name, f.type, f.default) for f in fields(EndpointLimits)], frozen=True)
_Told = msgspec.defstruct("_Told", [("limits", _Limits)])


def _unjudged(values: msgspec.Struct) -> EndpointLimits:
    limits = object.__new__(EndpointLimits)
    for name, value in msgspec.structs.asdict(values).items():
        object.__setattr__(limits, name, value)
    return limits
