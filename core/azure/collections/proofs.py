"""The verbs of `proofs` on Azure ML."""

from core.azure.context import Context
from core.workspace.proofs import Proofs


class AzureProofs(Proofs):
    """The verbs of `proofs` on Azure ML."""

    def __init__(self, context: Context) -> None:
        self._context = context
