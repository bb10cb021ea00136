"""Computes: named limits for jobs."""

from core.domain.compute import Compute
from core.workspace.collection import Collection


class Computes(Collection):
    """Computes: named limits for jobs."""

    noun = "computes"

    def create(self, compute: Compute) -> Compute:
        """Create a compute, or give the one of that name these limits, for jobs that start from now on."""
        self._cannot("create")

    def list(self) -> tuple[Compute, ...]:
        """All computes by name. `local`, where jobs run that name no other, is always there."""
        self._cannot("list")
