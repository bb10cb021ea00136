"""Where a scoring server finds what it is told: the endpoint file, and whether it is another than before."""

import os
from pathlib import Path

from core.contract.endpoint_file import EndpointFile, decode
from core.domain.errors import SpecInvalid

POLL_S = 0.2
"""How often the file is looked at: a rotated key must be in force within 1 s."""

Stamp = tuple[int, int, int]


def read(path: Path) -> EndpointFile:
    """The endpoint file at `path`. Raises SpecInvalid that names what is wrong with it."""
    try:
        return decode(path.read_bytes())
    except OSError as e:
        raise SpecInvalid(f"The endpoint file {path} cannot be read: {e.strerror}") from e
    except SpecInvalid as e:
        raise SpecInvalid(f"The endpoint file {path} is damaged: {e.message}") from e


def stamp(path: Path) -> Stamp:
    """Changes with every atomic write of the file; zeros while it is not to be had."""
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_ino, found.st_size)
