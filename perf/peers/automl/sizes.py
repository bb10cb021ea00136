"""What an engine is made of: the versions and the room on disk of some distributions and all that they require."""

import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from perf.peers.automl.engines import Engine

BLOCK = 512
"""Bytes of `st_blocks`, whatever the file system's own blocks are (`man 2 stat`)."""


@dataclass(frozen=True)
class Installed:
    """Versions by distribution, and megabytes of disk that their files take, without compiled Python."""

    versions: dict[str, str]
    size_mb: float


def of_engine(engine: Engine, python: Path) -> Installed:
    """Of the engine's parts in the environment that `python` belongs to."""
    own = Path(sysconfig.get_path("purelib"))
    folder = own if engine.ours else python.parent.parent / "lib" / f"python{engine.environment.PYTHON}" / own.name
    return installed(folder, engine.parts, engine.unused)


def installed(folder: Path, parts: Iterable[str], unused: Iterable[str] = ()) -> Installed:
    """Of these requirements among the packages in a folder; one that is absent there or unused counts nothing."""
    present = {canonicalize_name(found.metadata["Name"]): found for found in distributions(path=[str(folder)])}
    for name in unused:
        present.pop(canonicalize_name(name), None)
    wanted, seen = [Requirement(part) for part in parts], set()
    found: dict[str, Distribution] = {}
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        if name not in present or (key := (name, tuple(sorted(requirement.extras)))) in seen:
            continue
        seen.add(key)
        found[name] = present[name]
        wanted += _required(present[name], requirement.extras)
    sizes = (_size_mb(distribution) for distribution in found.values())
    return Installed({name: found[name].version for name in sorted(found)}, sum(sizes))


def _required(distribution: Distribution, extras: Iterable[str]) -> list[Requirement]:
    every = [Requirement(text) for text in distribution.requires or ()]
    chosen = [{"extra": extra} for extra in ("", *extras)]
    return [r for r in every if r.marker is None or any(r.marker.evaluate(extra) for extra in chosen)]


def _size_mb(distribution: Distribution) -> float:
    places = {Path(str(file.locate())) for file in distribution.files or () if file.suffix != ".pyc"}
    return sum(place.stat().st_blocks for place in places if place.is_file()) * BLOCK / 1e6
