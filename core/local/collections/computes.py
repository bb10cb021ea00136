"""Computes, in the store."""

from core.domain.compute import Compute
from core.domain.errors import SpecInvalid
from core.local.context import Context
from core.workspace.computes import Computes


class LocalComputes(Computes):
    """Limits that the service keeps to when it starts jobs."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def create(self, compute: Compute) -> Compute:
        if compute.size or compute.max_nodes:
            raise SpecInvalid(
                f"The compute '{compute.name}' cannot have machines of its own: jobs run on this machine",
                hint="Give max_concurrent, threads and memory_mb; clusters belong to the workspace 'azure'",
            )
        self._context.store.computes.put(compute)
        return compute

    def list(self) -> tuple[Compute, ...]:
        return self._context.store.computes.list()
