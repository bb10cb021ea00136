"""The verbs of `endpoints` on Azure ML."""

from core.azure.context import Context
from core.workspace.endpoints import Endpoints


class AzureEndpoints(Endpoints):
    """The verbs of `endpoints` on Azure ML."""

    def __init__(self, context: Context) -> None:
        self._context = context
