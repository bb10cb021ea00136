"""How forwarding stands, for whoever wants to know: a small file of the process that forwards."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from core.durable import write_atomic

FILE = "forwarding.json"


class Standing(msgspec.Struct, frozen=True):
    """Of one receiver."""

    failing_since: float | None = None
    """When it first did not take what it was sent, since it last did."""
    why: str = ""
    refused: int = 0
    """Records and log lines that it refused for good, since the process has begun."""
    refused_why: str = ""


def write(home: Path, standings: Mapping[str, Standing]) -> None:
    """Keep how all receivers stand. Raises StorageFull."""
    write_atomic(home / FILE, msgspec.json.encode(dict(standings)))


def read(home: Path) -> dict[str, Standing]:
    """By the receiver's name; nothing where nobody forwards, or what is there cannot be read."""
    try:
        return msgspec.json.decode((home / FILE).read_bytes(), type=dict[str, Standing])
    except (OSError, msgspec.DecodeError):
        return {}
