"""The sizes of virtual machines that the emulated region has, and the cores of each family that one may use."""

from dataclasses import dataclass

from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.names import NAMESPACE
from core.emulator.routes import Route

CORES_OF_A_FAMILY = 100
CORES_IN_ALL = 300
KINDS = ("AmlCompute", "ComputeInstance")


@dataclass(frozen=True, slots=True)
class Size:
    """One size of machine."""

    name: str
    family: str
    cores: int
    memory_gb: float
    disk_gb: int
    gpus: int = 0


def _row(family: str, disk_gb_of_a_core: int, *sizes: tuple[str, int, float]) -> list[Size]:
    return [Size(f"Standard_{name}", family, cores, gb, cores * disk_gb_of_a_core) for name, cores, gb in sizes]


def _gpus(family: str, *sizes: tuple[str, int, float, int]) -> list[Size]:
    return [Size(f"Standard_{name}", family, cores, gb, cores * 50, gpus) for name, cores, gb, gpus in sizes]


ALL = (
    *_row("standardDv2Family", 50, ("D1_v2", 1, 3.5), ("D2_v2", 2, 7), ("D3_v2", 4, 14), ("D4_v2", 8, 28),
          ("D5_v2", 16, 56), ("D11_v2", 2, 14), ("D12_v2", 4, 28), ("D13_v2", 8, 56), ("D14_v2", 16, 112)),
    *_row("standardDSv2Family", 7, ("DS1_v2", 1, 3.5), ("DS2_v2", 2, 7), ("DS3_v2", 4, 14), ("DS4_v2", 8, 28),
          ("DS5_v2", 16, 56), ("DS11_v2", 2, 14), ("DS12_v2", 4, 28), ("DS13_v2", 8, 56), ("DS14_v2", 16, 112),
          ("DS15_v2", 20, 140)),
    *_row("standardDSv3Family", 8, ("D2s_v3", 2, 8), ("D4s_v3", 4, 16), ("D8s_v3", 8, 32), ("D16s_v3", 16, 64),
          ("D32s_v3", 32, 128), ("D48s_v3", 48, 192), ("D64s_v3", 64, 256)),
    *_row("standardDv3Family", 25, ("D2_v3", 2, 8), ("D4_v3", 4, 16), ("D8_v3", 8, 32), ("D16_v3", 16, 64)),
    *_row("standardDASv4Family", 8, ("D2as_v4", 2, 8), ("D4as_v4", 4, 16), ("D8as_v4", 8, 32), ("D16as_v4", 16, 64)),
    *_row("standardDDSv4Family", 37, ("D2ds_v4", 2, 8), ("D4ds_v4", 4, 16), ("D8ds_v4", 8, 32), ("D16ds_v4", 16, 64)),
    *_row("standardDSv5Family", 0, ("D2s_v5", 2, 8), ("D4s_v5", 4, 16), ("D8s_v5", 8, 32), ("D16s_v5", 16, 64)),
    *_row("standardESv3Family", 16, ("E2s_v3", 2, 16), ("E4s_v3", 4, 32), ("E8s_v3", 8, 64), ("E16s_v3", 16, 128),
          ("E32s_v3", 32, 256)),
    *_row("standardEDSv4Family", 37, ("E2ds_v4", 2, 16), ("E4ds_v4", 4, 32), ("E8ds_v4", 8, 64),
          ("E16ds_v4", 16, 128)),
    *_row("standardFSv2Family", 8, ("F2s_v2", 2, 4), ("F4s_v2", 4, 8), ("F8s_v2", 8, 16), ("F16s_v2", 16, 32),
          ("F32s_v2", 32, 64), ("F72s_v2", 72, 144)),
    *_gpus("standardNCSv3Family", ("NC6s_v3", 6, 112, 1), ("NC12s_v3", 12, 224, 2), ("NC24s_v3", 24, 448, 4)),
    *_gpus("standardNCASv3_T4Family", ("NC4as_T4_v3", 4, 28, 1), ("NC8as_T4_v3", 8, 56, 1),
           ("NC16as_T4_v3", 16, 110, 1), ("NC64as_T4_v3", 64, 440, 4)),
    *_gpus("standardNCADSA100v4Family", ("NC24ads_A100_v4", 24, 220, 1), ("NC48ads_A100_v4", 48, 440, 2)),
)  # fmt: skip
"""As Azure documents them; which of them a region really has differs, and changes."""
BY_NAME = {size.name.upper(): size for size in ALL}


def size_of(name: str) -> Size:
    """Raises AzureError 400 for a size that the region does not have."""
    found = BY_NAME.get(name.upper())
    if found is None:
        raise AzureError(
            400,
            "InvalidPropertyValue",
            f"The VM size '{name}' is not available in this region. Sizes there are, among others:"
            " Standard_DS3_v2, Standard_D4s_v3, Standard_F4s_v2, Standard_E4s_v3",
        )
    return found


def listed(emulation: Emulation, request: Request) -> Reply:
    """Every size of machine."""
    return Reply(body={"value": [_shown(size) for size in ALL]})


def usages(emulation: Emulation, request: Request) -> Reply:
    """How many cores of each family are in use, and how many may be."""
    used = cores_used(emulation)
    counts = [("Total Cluster Dedicated Regional vCPUs", sum(used.values()), CORES_IN_ALL)] + [
        (family, used.get(family, 0), CORES_OF_A_FAMILY) for family in _families()
    ]
    return Reply(body={"value": [_usage(emulation, *count) for count in counts]})


def quotas(emulation: Emulation, request: Request) -> Reply:
    """How many cores of each family the workspace may have."""
    location = emulation.names.region
    value = [
        {
            "id": f"{emulation.names.workspace_path}/quotas/{family}", "amlWorkspaceLocation": location,
            "type": f"{NAMESPACE}/workspaces/quotas", "limit": CORES_OF_A_FAMILY, "unit": "Count",
            "name": {"value": family, "localizedValue": _said(family)},
        }
        for family in _families()
    ]  # fmt: skip
    return Reply(body={"value": value})


def cores_used(emulation: Emulation) -> dict[str, int]:
    """By family: cores that clusters could grow to, and those of instances."""
    used: dict[str, int] = {}
    for _, kept in emulation.state.below(f"{emulation.names.workspace_path}/computes/"):
        own = kept["properties"].get("properties") or {}
        size = BY_NAME.get(str(own.get("vmSize", "")).upper())
        if size:
            nodes = int((own.get("scaleSettings") or {}).get("maxNodeCount", 1))
            used[size.family] = used.get(size.family, 0) + nodes * size.cores
    return used


def _families() -> list[str]:
    return list(dict.fromkeys(size.family for size in ALL))


def _said(family: str) -> str:
    return f"{family.removeprefix('standard').removesuffix('Family')} Family Cluster Dedicated vCPUs"


def _usage(emulation: Emulation, family: str, used: int, limit: int) -> Document:
    location = emulation.names.region
    base = f"/subscriptions/{emulation.names.subscription}/providers/{NAMESPACE}/locations/{location}"
    return {
        "id": f"{base}/usages/{family}",
        "type": f"{NAMESPACE}/usages",
        "amlWorkspaceLocation": location,
        "unit": "Count",
        "currentValue": used,
        "limit": limit,
        "name": {"value": family, "localizedValue": _said(family) if family.startswith("standard") else family},
    }


def _shown(size: Size) -> Document:
    return {
        "name": size.name,
        "family": size.family,
        "vCPUs": size.cores,
        "gpus": size.gpus,
        "osVhdSizeMB": 1047552,
        "maxResourceVolumeMB": size.disk_gb * 1024,
        "memoryGB": size.memory_gb,
        "lowPriorityCapable": True,
        "premiumIO": "s_" in size.name.lower(),
        "supportedComputeTypes": list(KINDS),
    }


_LOCATION = "/subscriptions/{subscription}/providers/" + NAMESPACE + "/locations/{location}"
ROUTES = (
    Route("GET", "arm", _LOCATION + "/vmSizes", listed),
    Route("GET", "arm", _LOCATION + "/usages", usages),
    Route("GET", "arm", _LOCATION + "/quotas", quotas),
)
