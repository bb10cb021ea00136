"""Computes: named limits for jobs."""

from core.domain.training import Compute
from core.workspace.collection import Collection


class Computes(Collection):
    """Computes: named limits for jobs."""

    noun = "computes"

    def create_or_update(self, compute: Compute) -> Compute:
        """Get the compute of that name, or create or change it to these limits."""
        self._cannot("create_or_update")

    def list(self) -> tuple[Compute, ...]:
        """All computes; `local` is always there."""
        self._cannot("list")
