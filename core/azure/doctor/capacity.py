"""What the subscription has room for: names that are allowed, machines that the region has, and quota left for them."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.azure import known, prices
from core.azure.arm import ask
from core.azure.context import Context
from core.azure.doctor.finding import beware, failed, fine
from core.domain.monitoring import Finding

API = "2024-10-01"
COMPUTE_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]")
ENDPOINT_RESERVE = 1.2
"""An endpoint keeps a fifth more than it runs, for upgrades."""
CORES_MIN = 2
"""A machine with one core is too small for a training or an endpoint."""


@dataclass(frozen=True, slots=True)
class Size:
    """A size of machine, as the region has it."""

    name: str
    family: str
    cores: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Cores of one family: used, and at most."""

    used: int
    limit: int

    @property
    def left(self) -> float:
        """Azure says -1 where there is no limit."""
        return math.inf if self.limit < 0 else self.limit - self.used


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many machines of a size, for a cluster or for an endpoint."""

    what: str
    size: str
    count: int
    setting: str
    reserve: float = 1.0

    def cores(self, size: Size) -> int:
        """What that many machines of a size take from the quota."""
        return math.ceil(size.cores * self.count * self.reserve)


@dataclass(frozen=True, slots=True)
class Room:
    """What a region has, and how much of it is taken."""

    region: str
    sizes: Mapping[str, Size]
    usages: Sequence[Mapping[str, Any]]


def look(context: Context) -> Iterator[Finding]:
    """Names first: they need no question."""
    settings = context.settings
    yield _name(settings.azure_compute)
    region = context.region
    sizes = sizes_in(context, region)
    if not sizes:
        yield beware("Region", f"Azure does not say which machines {region} has")
        return
    yield fine("Region", f"{region} has {len(sizes)} sizes of machines")
    cluster = Wanted("Cluster", settings.azure_compute_size, settings.azure_compute_nodes, "AZURE_COMPUTE_SIZE")
    behind = Wanted(
        "Endpoint", settings.azure_instance_type, settings.azure_instances, "AZURE_INSTANCE_TYPE", ENDPOINT_RESERVE
    )
    room = Room(region, sizes, usages_in(context, region))
    yield fits(cluster, room)
    yield fits(behind, room)


def sizes_in(context: Context, region: str) -> dict[str, Size]:
    """Sizes by their name in small letters."""
    where = (
        f"/subscriptions/{context.target.subscription}/providers/Microsoft.MachineLearningServices/locations/{region}"
    )
    found = ask(context, f"{where}/vmSizes", API)
    entries = found.values or (found.body.get("amlCompute") or [] if isinstance(found.body, dict) else [])
    sizes = (Size(str(e.get("name", "")), str(e.get("family", "")), int(e.get("vCPUs") or 0)) for e in entries)
    return {size.name.lower(): size for size in sizes if size.name}


def usages_in(context: Context, region: str) -> list[Mapping[str, Any]]:
    """Azure's own list: cores by family, used and at most."""
    where = (
        f"/subscriptions/{context.target.subscription}/providers/Microsoft.MachineLearningServices/locations/{region}"
    )
    return ask(context, f"{where}/usages", API).values


def usage_of(family: str, usages: Sequence[Mapping[str, Any]]) -> Usage | None:
    """Of a family such as `standardDSv2Family`; Azure spells it in more than one way."""
    wanted = _plain(family)
    for entry in usages:
        name = entry.get("name") or {}
        spellings = (str(name.get("value", "")), str(name.get("localizedValue", "")), str(entry.get("id", "")))
        if wanted and any(_plain(text).startswith(wanted) or f"/{wanted}" in _slashed(text) for text in spellings):
            return Usage(int(entry.get("currentValue") or 0), int(entry.get("limit") or 0))
    return None


def fits(wanted: Wanted, room: Room) -> Finding:
    """Whether so many machines of a size can be had, and which others can where they cannot."""
    found = room.sizes.get(wanted.size.lower())
    if found is None:
        said = f"{room.region} has no machines of size {wanted.size}"
        return failed(f"{wanted.what} size", said, f"Set SLIPWAY_{wanted.setting}{another(wanted, room)}")
    usage = usage_of(found.family, room.usages)
    if usage is None:
        return beware(f"{wanted.what} quota", f"Azure does not say how much of {found.family} is left")
    cores = wanted.cores(found)
    said = f"{wanted.count} x {found.name} need {cores} cores of {found.family}, {_count(usage.left)} are left"
    if usage.left >= cores:
        return fine(f"{wanted.what} quota", said)
    return failed(
        f"{wanted.what} quota",
        f"{said}. {known.QUOTA.cause}",
        f"Set SLIPWAY_{wanted.setting}{another(wanted, room)}. More is asked for in Azure's portal, Quotas",
    )


def another(wanted: Wanted, room: Room) -> str:
    """The cheapest size that fits, for a hint."""
    for name in prices.by_price(room.region):
        size = room.sizes.get(name.lower())
        usage = usage_of(size.family, room.usages) if size else None
        if size and usage and size.cores >= CORES_MIN and usage.left >= wanted.cores(size):
            return f" to {size.name}, which fits"
    return " to a size that the subscription has quota for"


def _name(name: str) -> Finding:
    if not COMPUTE_NAME.fullmatch(name) or re.search(r"-\d+$", name):
        return failed(
            "Cluster name",
            f"Azure takes no cluster named '{name}'",
            "3 to 24 letters, digits and dashes, beginning with a letter and not ending in a dash and digits:"
            " set SLIPWAY_AZURE_COMPUTE, for example to cpu-cluster",
        )
    return fine("Cluster name", f"'{name}' is allowed")


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _slashed(text: str) -> str:
    return re.sub(r"[^a-z0-9/]", "", text.lower())


def _count(cores: float) -> str:
    return "any number" if math.isinf(cores) else f"{max(0, int(cores)):,}"
