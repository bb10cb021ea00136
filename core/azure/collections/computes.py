"""The verbs of `computes` on Azure ML."""

from core.azure.context import Context
from core.workspace.computes import Computes


class AzureComputes(Computes):
    """The verbs of `computes` on Azure ML."""

    def __init__(self, context: Context) -> None:
        self._context = context
