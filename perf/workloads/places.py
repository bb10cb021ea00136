"""Folders that workloads fill: one of each copy's own, and what is made once for all copies of a revision."""

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from perf.workloads.workload import Inputs


def own(inputs: Inputs, name: str) -> Path:
    """A new empty folder."""
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=inputs.scratch))


def checkout() -> Path:
    """Where the `core` lies that is importable now."""
    import core

    return Path(core.__file__ or "").resolve().parents[1]


def once(place: Path, fill: Callable[[Path], None]) -> Path:
    """`place`, a folder that `fill` fills unless that was done: complete, whoever else asks for it meanwhile.

    It is filled where it stays, for a workspace keeps absolute paths.
    """
    with place.with_name(f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (complete := place.with_name(f"{place.name}.complete")).exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            fill(place)
            complete.touch()
    return place


def copy_of(inputs: Inputs, name: str, fill: Callable[[Path], None]) -> Path:
    """A copy, of the caller's own, of a folder that `fill` has filled once for this revision of `core`."""
    revision = hashlib.sha256(str(checkout()).encode()).hexdigest()[:12]
    filled = once(inputs.scratch / f"{name}-{revision}", fill)
    return shutil.copytree(filled, own(inputs, name), dirs_exist_ok=True)


def remove(folder: Path) -> None:
    """What a copy of a workload leaves when it is closed."""
    shutil.rmtree(folder)
