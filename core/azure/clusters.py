"""Clusters of machines on which trainings run: AmlCompute, with no machine while nothing runs."""

import re
from collections.abc import Mapping
from typing import Any

from core.azure import sdk
from core.azure.context import TAG, Context
from core.azure.names import mapping
from core.domain.compute import Compute
from core.domain.errors import NotFound, SpecInvalid
from core.domain.version import VERSION

LOCAL = "local"
"""The compute of jobs that name no other: here, the cluster that the setting `azure_compute` names."""
NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]")
NUMBERED = re.compile(r".*-\d+")
IDLE_S = 120
FAMILIES = ("amlcompute", "computeinstance")
"""What is listed and can train: an attached cluster of Kubernetes cannot."""
SHOWN_SIZES = 8
LIMITS = ("max_concurrent", "threads", "memory_mb")
"""Limits of ours that Azure knows nothing of; kept as tags."""


def check_cluster_name(name: str) -> None:
    """Raises SpecInvalid for a name that Azure ML refuses, though not always at once."""
    if not NAME.fullmatch(name) or NUMBERED.fullmatch(name):
        raise SpecInvalid(
            f"'{name}' is not a name for a cluster in Azure ML",
            hint="3 to 24 letters, digits and dashes, a letter first, and not a dash and digits at the end (cpu-1)",
        )


def cluster_name(context: Context, compute: str) -> str:
    """The cluster that a compute's name means."""
    return context.settings.azure_compute if compute == LOCAL else compute


def found(context: Context, name: str) -> Any | None:
    """A cluster as the SDK gives it; None where there is none."""
    try:
        with context.asking("compute", name) as client:
            return client.compute.get(name)
    except NotFound:
        return None


def ready(context: Context, compute: str) -> Compute:
    """The compute that a job names: the default cluster is made where it is not there yet.

    Raises SpecInvalid for another that is not there.
    """
    name = cluster_name(context, compute)
    if (there := found(context, name)) is not None:
        return as_compute(there)
    if name != context.settings.azure_compute:
        known = ", ".join(each.name for each in listed(context))
        raise SpecInvalid(f"There is no compute '{compute}'", hint=f"Computes: {known}")
    return made(context, Compute(name), None)


def made(context: Context, compute: Compute, there: Any | None) -> Compute:
    """A cluster of this size, or the one that is there with these limits. Raises SpecInvalid, also for its size."""
    check_cluster_name(compute.name)
    settings = context.settings
    size = compute.size or (there.size if there is not None else settings.azure_compute_size)
    nodes = compute.max_nodes or (there.max_instances if there is not None else settings.azure_compute_nodes)
    if there is None:
        check_size(context, size, nodes)
    elif size.lower() != str(there.size).lower():
        raise SpecInvalid(
            f"The cluster '{compute.name}' has machines of size {there.size}, and a cluster keeps its size",
            hint="Create another one, or delete it in Azure's studio first",
        )
    wanted = sdk.module("azure.ai.ml.entities").AmlCompute(
        name=compute.name,
        size=size,
        min_instances=there.min_instances if there is not None else 0,
        max_instances=nodes,
        idle_time_before_scale_down=IDLE_S,
        tags={**(mapping(there.tags if there is not None else None)), **_tags(compute)},
    )
    with context.asking("compute", compute.name) as client:
        return as_compute(client.compute.begin_create_or_update(wanted).result())


def _tags(compute: Compute) -> Mapping[str, str]:
    return {TAG: VERSION} | {f"{TAG}.{name}": str(getattr(compute, name)) for name in LIMITS}


def check_size(context: Context, size: str, nodes: int) -> None:
    """Raises SpecInvalid where the region has no such machines, or the subscription's quota is too small for one."""
    with context.asking() as client:
        sizes = {str(each.name).lower(): each for each in client.compute.list_sizes()}
    if not sizes:
        return
    there = sizes.get(size.lower())
    if there is None:
        like = [each.name for name, each in sorted(sizes.items()) if name.startswith(size.lower()[:11])]
        shown = ", ".join((like or [each.name for each in sizes.values()])[:SHOWN_SIZES])
        raise SpecInvalid(
            f"The region {context.region} has no machines of size {size}",
            hint=f"It has, for example: {shown}; SLIPWAY_AZURE_COMPUTE_SIZE names the size",
        )
    _check_quota(context, there, size, nodes)


def _check_quota(context: Context, size: Any, name: str, nodes: int) -> None:
    cores, family = int(size.v_cp_us or 0), str(size.family or "").lower()
    with context.asking() as client:
        usages = list(client.compute.list_usage())
    for usage in usages:
        if _counts(usage, family):
            free = int(usage.limit) - int(usage.current_value)
            if free < cores:
                raise SpecInvalid(
                    f"The quota has {max(free, 0)} free cores for machines of size {name}, and one has {cores}",
                    hint="Ask for more in Azure's portal (Quotas), or choose another size",
                )


def _counts(usage: Any, family: str) -> bool:
    """Whether a line of the quota limits machines of this family."""
    name = str(getattr(usage.name, "value", "") or "").lower().replace(" ", "")
    return bool(family) and name == family.replace(" ", "") and usage.limit is not None and usage.limit >= 0


def listed(context: Context) -> tuple[Compute, ...]:
    """All that can train, by name, and the default one whether it is there or not."""
    with context.asking() as client:
        there = [as_compute(each) for each in client.compute.list() if str(each.type).lower() in FAMILIES]
    default = next((each for each in there if each.name == context.settings.azure_compute), None)
    size, nodes = context.settings.azure_compute_size, context.settings.azure_compute_nodes
    meant = (default.size, default.max_nodes) if default else (size, nodes)
    named = Compute(LOCAL, size=meant[0], max_nodes=meant[1])
    return tuple(sorted([named, *there], key=lambda each: each.name))


def as_compute(cluster: Any) -> Compute:
    """A cluster as a value of the domain."""
    tags = mapping(cluster.tags)
    kept = {name: str(tags.get(f"{TAG}.{name}", "")) for name in LIMITS}
    limits: dict[str, Any] = {name: int(text) for name, text in kept.items() if text.isdecimal()}
    nodes = int(getattr(cluster, "max_instances", None) or 1)
    try:
        return Compute(str(cluster.name), size=str(cluster.size or ""), max_nodes=nodes, **limits)
    except SpecInvalid:
        return Compute(str(cluster.name), size=str(cluster.size or ""), max_nodes=nodes)
