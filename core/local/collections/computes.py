"""Computes, in the store."""

from core.domain.training import Compute
from core.local.context import Context
from core.workspace.computes import Computes


class LocalComputes(Computes):
    """Limits that the service keeps to when it starts jobs."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def create(self, compute: Compute) -> Compute:
        self._context.store.computes.put(compute)
        return compute

    def list(self) -> tuple[Compute, ...]:
        return self._context.store.computes.list()
